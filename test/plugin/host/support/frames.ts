import { framesOf } from '../../../../plugin/host/frames.ts';
import { encodeMessage, type Message } from '../../../gateway-player/protobuf-messages.ts';

/** A call of Kong as it stands on the wire; `method` is Kong's name of it. */
export function callFrame(sequence: number, method: string, args: Message): Buffer {
  return framesOf(encodeMessage('RpcCall', { sequence, [method]: args }));
}

export function eventFrame(sequence: number, instanceId: number, phase = 'log'): Buffer {
  return callFrame(sequence, 'cmd_handle_event', { instance_id: instanceId, event_name: phase });
}

/** What Kong replies to a call that gives a text. */
export function textFrame(value: string): Buffer {
  return framesOf(encodeMessage('String', { v: value }));
}
