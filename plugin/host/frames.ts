/**
 * Largest frame that is read. Kong logs whole AI conversations and caps neither them nor request bodies; a JavaScript
 * string ends at 512 MB. Past this a length is more likely a stream out of step than a log entry.
 */
export const MAX_FRAME_BYTES = 64 * 1024 * 1024;

/** Bytes of the length before each payload: a little-endian uint32. */
export const LENGTH_BYTES = 4;

/** What a stream of frames is made of, in order. */
export interface FrameSink {
  /** A whole payload; a view of the chunk it came in, so it keeps that chunk alive. */
  frame(payload: Buffer): void;
  /** A length past the bound: its bytes are read and thrown away, and `frame` is not called for them. */
  refused(lengthBytes: number): void;
}

const EMPTY = Buffer.alloc(0);

/**
 * Cuts chunks, split anywhere, into frames. A payload that arrives in one chunk is not copied; one that arrives in many
 * is joined once, at its end, and nothing is allocated for a length that was only announced.
 */
export function createFrameReader(sink: FrameSink, maxBytes = MAX_FRAME_BYTES): (chunk: Buffer) => void {
  const lengthBytes = Buffer.alloc(LENGTH_BYTES);
  let lengthFilled = 0;
  /** Of the payload under way; -1 while its length is not known. */
  let payloadBytes = -1;
  let readBytes = 0;
  let isRefused = false;
  let parts: Buffer[] = [];

  /** @returns the offset behind the length, or behind the chunk when the length is not complete */
  function readLength(chunk: Buffer, offset: number): number {
    if (lengthFilled === 0 && chunk.length - offset >= LENGTH_BYTES) {
      begin(chunk.readUInt32LE(offset));
      return offset + LENGTH_BYTES;
    }
    const copied = chunk.copy(lengthBytes, lengthFilled, offset);
    lengthFilled += copied;
    if (lengthFilled === LENGTH_BYTES) {
      lengthFilled = 0;
      begin(lengthBytes.readUInt32LE(0));
    }
    return offset + copied;
  }

  function begin(length: number): void {
    payloadBytes = length;
    isRefused = length > maxBytes;
    if (isRefused) sink.refused(length);
  }

  function end(lastPart: Buffer): void {
    const payload = parts.length === 0 ? lastPart : Buffer.concat([...parts, lastPart]);
    payloadBytes = -1;
    readBytes = 0;
    if (parts.length > 0) parts = [];
    if (!isRefused) sink.frame(payload);
  }

  return (chunk) => {
    let offset = 0;
    for (;;) {
      if (payloadBytes < 0) offset = readLength(chunk, offset);
      if (payloadBytes < 0) return;
      const availableBytes = chunk.length - offset;
      const missingBytes = payloadBytes - readBytes;
      if (availableBytes < missingBytes) {
        if (availableBytes > 0 && !isRefused) parts.push(chunk.subarray(offset));
        readBytes += availableBytes;
        return;
      }
      end(isRefused ? EMPTY : chunk.subarray(offset, offset + missingBytes));
      offset += missingBytes;
    }
  };
}

/** The bytes of frames with these payloads, one behind the other. */
export function framesOf(...payloads: readonly Uint8Array[]): Buffer {
  const totalBytes = payloads.reduce((sum, payload) => sum + LENGTH_BYTES + payload.length, 0);
  const frames = Buffer.allocUnsafe(totalBytes);
  let offset = 0;
  for (const payload of payloads) {
    offset = frames.writeUInt32LE(payload.length, offset);
    frames.set(payload, offset);
    offset += payload.length;
  }
  return frames;
}
