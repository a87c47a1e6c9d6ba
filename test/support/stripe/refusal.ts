/** What Stripe answers when it refuses: { error: { type, code, message, param } }. */
export class Refusal extends Error {
  readonly status: number;
  readonly body: Record<string, unknown>;

  constructor(status: number, error: { type?: string; code?: string; message: string; param?: string }) {
    super(error.message);
    this.status = status;
    this.body = { error: { type: 'invalid_request_error', ...error } };
  }
}

export const missing = (id: string) =>
  new Refusal(404, { code: 'resource_missing', message: `No such object: '${id}'`, param: 'id' });

export const wrong = (message: string, code?: string) =>
  new Refusal(400, { message, ...(code !== undefined && { code }) });
