import { z } from '@hono/zod-openapi';
import { jsonResponse, type Router } from '../../platform/http/router.ts';
import { instantSchema } from '../../platform/http/schemas.ts';
import { formatInstant } from '../../platform/instant.ts';
import type { ClockState } from '../../platform/trusted-clock.ts';
import type { MachineClock } from './service.ts';

const TAG = 'Clock';

const clockSchema = z
  .strictObject({
    now: instantSchema.openapi({ description: 'The instant that everything goes by.' }),
    machine: instantSchema.openapi({ description: "What the machine's clock says." }),
    trusted: z.boolean().openapi({
      description:
        "false: the machine's clock has moved by more than MAX_CLOCK_JUMP_HOURS beyond what has passed. Billing, the removal " +
        'of old data and everything that expires wait.',
    }),
  })
  .openapi('MachineClock');

const confirmSchema = z
  .strictObject({
    time: instantSchema.openapi({
      description: "The time that it is. The machine's clock has to say the same, within 10 minutes.",
    }),
  })
  .openapi('ConfirmMachineClockRequest');

/** Registers what is known of the machine's clock. Our own addition to the contract. */
export function machineClockRoutes(router: Router, service: Pick<MachineClock, 'state' | 'confirm'>): void {
  router.endpoint(
    {
      method: 'get',
      path: '/machine-clock',
      operationId: 'get-machine-clock',
      tag: TAG,
      summary: 'Get machine clock',
      description: "Whether the machine's clock is believed.",
      access: 'read',
      responses: { 200: jsonResponse('The clock.', clockSchema) },
    },
    ({ answer }) => answer(toBody(service.state())),
  );
  router.endpoint(
    {
      method: 'post',
      path: '/machine-clock/confirm',
      operationId: 'confirm-machine-clock',
      tag: TAG,
      summary: 'Confirm machine clock',
      description:
        "Says that the machine's clock is right after all: it is believed from now on, and what waited goes on.",
      access: 'administer',
      body: confirmSchema,
      responses: { 200: jsonResponse('The clock.', clockSchema) },
      changes: { type: 'machine-clock', reads: '/machine-clock' },
    },
    async ({ answer, body }) => answer(toBody(await service.confirm(Date.parse(body.time)))),
  );
}

function toBody({ nowMs, machineMs, isHeld }: ClockState) {
  return { now: formatInstant(nowMs), machine: formatInstant(machineMs), trusted: !isHeld };
}
