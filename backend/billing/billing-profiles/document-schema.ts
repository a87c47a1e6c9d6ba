/** What documents say besides the invoice: settings of a profile, and of a customer. Our own addition to the contract. */
import { z } from '@hono/zod-openapi';

/** Languages that the words of a document are written in. */
const LANGUAGES = [
  ...(['en', 'de', 'fr', 'es', 'it', 'pt', 'nl', 'pl'] as const),
  ...(['ja', 'zh', 'ko', 'ar', 'he', 'hi', 'th'] as const),
] as const;
export type Language = (typeof LANGUAGES)[number];

const MAX_LINE = 256;
/** A page has room for some twenty lines of it. */
const MAX_TEXT = 2000;
/** A picture of the size of a stamp has less. */
const MAX_LOGO_BYTES = 204_800;
const MAX_LOGO_TEXT = 273_100;

const line = (what: string) => z.string().min(1).max(MAX_LINE).optional().openapi({ description: what });
const text = (what: string) => z.string().min(1).max(MAX_TEXT).optional().openapi({ description: what });

const languageSchema = z
  .enum(LANGUAGES)
  .optional()
  .openapi({ description: 'Of the words of documents. Digits are 0 to 9 in all of them.' });

const logoSchema = z
  .string()
  .max(MAX_LOGO_TEXT)
  .regex(/^data:image\/(?:png|jpeg);base64,[A-Za-z0-9+/]+={0,2}$/, 'must be a data URL of a PNG or JPEG, in base64')
  .refine((url) => isPicture(url), { error: 'must be a PNG or JPEG of at most 200 KiB' })
  .optional()
  .openapi({ description: 'A data URL of a PNG or JPEG of at most 200 KiB.' });

const BEGINNINGS = { png: '89504e470d0a1a0a', jpeg: 'ffd8ff' };

function isPicture(url: string): boolean {
  const bytes = Buffer.from(url.slice(url.indexOf(',') + 1), 'base64');
  const start = url.startsWith('data:image/png') ? BEGINNINGS.png : BEGINNINGS.jpeg;
  return bytes.length <= MAX_LOGO_BYTES && bytes.toString('hex', 0, start.length / 2) === start;
}

export const documentSettingsSchema = z
  .strictObject({
    language: languageSchema,
    page_size: z.enum(['A4', 'letter']).optional().openapi({ description: 'Default A4.' }),
    registration: line('Register and number of the company: "HRB 12345, Amtsgericht Berlin".'),
    contact: line('Whom to ask: a name, an e-mail address, a telephone number.'),
    payment_instructions: text('How to pay: account, bank, what to name.'),
    terms: text('Terms of payment and other conditions.'),
    footer: text('At the foot of each page.'),
    logo: logoSchema,
  })
  .openapi('DocumentSettings');
export type DocumentSettings = z.output<typeof documentSettingsSchema>;

export const customerDocumentSettingsSchema = z
  .strictObject({
    language: languageSchema,
    purchase_order: line("The customer's number for what was ordered."),
    buyer_reference: line('What the customer wants invoices to name: a Leitweg-ID, a cost centre.'),
    contact: line('Who gets the invoice.'),
  })
  .openapi('CustomerDocumentSettings');
export type CustomerDocumentSettings = z.output<typeof customerDocumentSettingsSchema>;

/** Both, as an issued invoice keeps them; a picture is kept in the documents only. */
export interface InvoiceDocumentSettings {
  profile: Omit<DocumentSettings, 'logo'>;
  customer: CustomerDocumentSettings;
}

/** Numbers are counted as 32-bit integers by some databases; nobody issues more invoices. */
const MAX_START = 1_000_000_000;

export const numberingSchema = z
  .strictObject({
    prefix: z
      .string()
      .max(20)
      .regex(/^[A-Z0-9][A-Z0-9/-]*$/, 'must be capital letters, digits, dashes and slashes')
      .refine((prefix) => !/^(?:DRAFT|GATHER)-/.test(prefix), { error: 'is that of drafts' })
      .openapi({ description: 'What each number begins with. Profiles with the same prefix share their numbers.' }),
    with_year: z.boolean().openapi({ description: 'The year of the issue follows, and numbers begin anew with it.' }),
    digits: z.int().min(1).max(10).openapi({ description: 'Shorter numbers have zeros before them.' }),
    start: z
      .int()
      .min(1)
      .max(MAX_START)
      .optional()
      .openapi({ description: 'The first number, or the next one where it is higher. Default 1.' }),
  })
  .openapi('InvoiceNumbering');
export type Numbering = z.output<typeof numberingSchema>;

/** An answer has it; asked for without it, invoices are numbered as their app does. */
export const numberingSettingsSchema = z
  .strictObject({ numbering: numberingSchema.optional() })
  .openapi('InvoiceNumberingSettings');
export type NumberingSettings = z.output<typeof numberingSettingsSchema>;
