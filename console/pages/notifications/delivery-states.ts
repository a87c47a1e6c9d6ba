import type { DeliveryState } from '../../api/notifications.ts';

/** How each state looks. */
export const STATE_TONES: Record<DeliveryState, 'success' | 'danger' | 'info' | 'warning'> = {
  pending: 'info',
  sending: 'warning',
  success: 'success',
  failed: 'danger',
  resending: 'info',
};
