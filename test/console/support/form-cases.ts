import type { Business } from './form-business.ts';

const LONG = 'x'.repeat(1025);
/** A year with a digit too many, as it is quickly typed: no date, but not nothing either. */
const FAR = '12026-01-01T00:00';

/** A form, and what is entered wrongly in it. */
export interface FormCase {
  form: string;
  path: (made: Business) => string;
  /** Opens what holds the form: names of buttons. */
  open?: readonly string[];
  /** Label → what is chosen, before anything is typed. */
  choose?: Readonly<Record<string, string>>;
  /** Buttons that show more of the form. */
  more?: readonly string[];
  /** Label → what is wrong. */
  wrong: Readonly<Record<string, string>>;
  /** Label → what is right where the form itself keeps the wrong from being sent. */
  right?: Readonly<Record<string, string>>;
  send: string;
}

const PLAN = ({ draft }: Business) => `/product-catalog/plans/${draft}`;
const CUSTOMER = (tab: string) => (made: Business) => `/billing/customers/${made.customer}/${tab}`;
const at = (path: string) => () => path;

/** Every form that is filled in on one page or in one dialog; the rate card wizard has steps. */
export const FORMS: readonly FormCase[] = [
  {
    form: 'notification channel',
    path: at('/settings/notifications'),
    open: ['Create Channel'],
    wrong: { Name: '', URL: 'nowhere', 'Custom headers': 'Host: example.com' },
    send: 'Save',
  },
  {
    form: 'notification rule',
    path: at('/settings/notifications'),
    open: ['Create Rule'],
    wrong: { Name: '' },
    send: 'Save',
  },
  {
    form: 'meter',
    path: at('/metering/meters/new'),
    wrong: { Name: '', Key: 'Two Words', Description: LONG, 'Event Type Filter': '', 'Events from': FAR },
    send: 'Save',
  },
  {
    form: 'value of a meter',
    path: at('/metering/meters/new'),
    choose: { Name: 'Sum', 'Event Type Filter': 'sum', Aggregation: 'sum' },
    wrong: { 'Value property': 'tokens' },
    send: 'Save',
  },
  {
    form: 'labels of a meter',
    path: at('/metering/meters/new'),
    more: ['Add label'],
    choose: { Name: 'Sum', 'Event Type Filter': 'sum' },
    wrong: { 'JSONPath 1': 'model' },
    send: 'Save',
  },
  {
    form: 'feature',
    path: at('/product-catalog/features/new'),
    wrong: { Name: '', Key: 'Two Words', Description: LONG, 'Unit cost': 'cheap' },
    send: 'Save',
  },
  {
    form: 'unit cost of a feature',
    path: ({ feature }) => `/product-catalog/features/${feature}`,
    wrong: { 'USD per unit': 'cheap' },
    send: 'Save',
  },
  {
    form: 'plan',
    path: at('/product-catalog/plans/new'),
    wrong: { Name: '', Key: 'Two Words', Description: LONG },
    send: 'Save',
  },
  {
    form: 'currency of a plan',
    path: at('/product-catalog/plans/new'),
    choose: { Name: 'Plan' },
    wrong: { Currency: 'Dollars' },
    send: 'Save',
  },
  { form: 'phase', path: PLAN, open: ['Add Phase'], wrong: { 'Phase name': '' }, send: 'Add' },
  {
    form: 'add-on of a plan',
    path: PLAN,
    open: ['Add Add-on'],
    choose: { 'Add-on': 'Seats, version 1' },
    wrong: { 'Quantity at most': 'many' },
    send: 'Add',
  },
  {
    form: 'add-on',
    path: at('/product-catalog/addons/new'),
    wrong: { Name: '', Key: 'Two Words', Description: LONG },
    send: 'Save',
  },
  {
    form: 'customer',
    path: at('/billing/customers/new'),
    more: ['Billing address'],
    wrong: {
      Name: '',
      Key: '',
      'Primary e-mail': `${LONG}@example.com`,
      Currency: 'dollars',
      Description: LONG,
      'Country (two letters)': 'Atlantis',
    },
    send: 'Save',
  },
  {
    form: 'settings of a customer',
    path: CUSTOMER('settings'),
    wrong: { Name: '', Currency: 'dollars', 'Country (two letters)': 'Atlantis' },
    more: ['Billing address'],
    send: 'Save',
  },
  {
    form: 'subscription',
    path: CUSTOMER('subscriptions/new'),
    choose: { 'Subscribed Plan': 'Pro' },
    more: ['Next Step'],
    wrong: { Start: 'at', 'Start date': '' },
    send: 'Start Subscription',
  },
  {
    form: 'entitlement',
    path: CUSTOMER('entitlements'),
    open: ['Create Entitlement'],
    choose: { Feature: 'Runs' },
    wrong: { Allowance: 'plenty', 'Usage period': 'monthly' },
    send: 'Save',
  },
  {
    form: 'static entitlement',
    path: CUSTOMER('entitlements'),
    open: ['Create Entitlement'],
    choose: { Feature: 'Runs', Type: 'static' },
    wrong: { 'Configuration (JSON object)': '[]' },
    right: { 'Configuration (JSON object)': '{}' },
    send: 'Save',
  },
  {
    form: 'grant',
    path: CUSTOMER('entitlements'),
    open: ['Grants and history', 'Create Grant'],
    wrong: {
      Amount: 'plenty',
      'Draw-down order': 'first',
      From: FAR,
      'Expires after': 'a month',
      'Again every': 'month',
      'Roll over at most': 'all',
    },
    send: 'Grant',
  },
  {
    form: 'billing profile',
    path: at('/settings/billing-profiles/new'),
    choose: { 'Invoices are made': 'anchored', 'Collection method': 'send_invoice' },
    wrong: {
      Name: '',
      Description: LONG,
      'Country (two letters)': 'Atlantis',
      Every: 'month',
      'Counted from': '',
      'Wait for Late Usage Events': 'an hour',
      'Wait Before Sending Invoices': 'a day',
      'Due after': 'soon',
    },
    send: 'Save',
  },
  {
    form: 'billing profile that is there',
    path: ({ profile }) => `/settings/billing-profiles/${profile}`,
    wrong: { Name: '', 'Wait Before Sending Invoices': 'a day' },
    send: 'Save',
  },
  { form: 'app', path: at('/settings/apps'), open: ['Install'], wrong: { Name: '' }, send: 'Install' },
  { form: 'tax code', path: at('/settings/tax-codes'), wrong: { Name: '', Key: 'Two Words' }, send: 'Create Tax Code' },
  {
    form: 'tax code that is there',
    path: at('/settings/tax-codes'),
    open: ['Change Reduced'],
    wrong: { Name: '', Description: LONG },
    send: 'Save',
  },
  {
    form: 'numbers of a profile',
    path: ({ profile }) => `/settings/billing-profiles/${profile}`,
    choose: { Prefix: 'RE-' },
    wrong: { Digits: '99', 'First number': 'many' },
    send: 'Save Numbers',
  },
  {
    form: 'documents of a profile',
    path: ({ profile }) => `/settings/billing-profiles/${profile}`,
    wrong: { Register: 'x'.repeat(257), Terms: 'x'.repeat(2001) },
    send: 'Save Documents',
  },
  {
    form: 'documents of a customer',
    path: CUSTOMER('settings'),
    wrong: { 'Purchase order': 'x'.repeat(257) },
    send: 'Save Documents',
  },
  {
    form: 'taxes of a customer',
    path: CUSTOMER('settings'),
    wrong: { 'VAT id': 'DE123456789' },
    send: 'Save Taxes',
  },
  {
    form: 'tax rate',
    path: at('/settings/tax-rates'),
    open: ['Create Tax Rate'],
    wrong: { Name: '', Percentage: 'a fifth', 'Country (two letters)': 'Atlantis' },
    send: 'Save',
  },
  {
    form: 'currency',
    path: at('/settings/currencies'),
    open: ['Create Currency'],
    wrong: { Name: '', Code: 'A B', 'Digits after the point': 'many' },
    send: 'Save',
  },
  {
    form: 'worth of a currency',
    path: at('/settings/currencies?type=custom'),
    open: ['Set Worth of Credits'],
    wrong: { 'One is worth': 'much', 'of the currency': 'dollars' },
    send: 'Save',
  },
  {
    form: 'token',
    path: at('/settings/api-tokens'),
    open: ['Create Token'],
    wrong: { Name: '', 'Expires at': FAR },
    send: 'Create',
  },
  {
    form: 'end of a token',
    path: at('/settings/api-tokens'),
    open: ['Create Token'],
    choose: { Name: 'Old' },
    wrong: { 'Expires at': '2020-01-01T00:00' },
    send: 'Create',
  },
  {
    form: 'billing run',
    path: at('/settings/jobs'),
    wrong: { 'As of': '2100-01-01T00:00' },
    send: 'Start Billing Run',
  },
  {
    form: 'void event',
    path: at('/metering/events'),
    open: ['Show event page-bob'],
    wrong: { Reason: '' },
    send: 'Void',
  },
  {
    form: 'many events',
    path: at('/metering/events?subject.eq=bob'),
    open: ['Correct all of these…'],
    wrong: { Reason: '' },
    send: 'Preview',
  },
  {
    form: 'line of an invoice',
    path: ({ invoice }) => `/billing/invoices/${invoice}`,
    open: ['Add Line'],
    wrong: { Name: '', Description: LONG, 'Amount (USD)': 'a lot' },
    send: 'Save',
  },
  {
    form: 'line of an invoice that is there',
    path: ({ invoice }) => `/billing/invoices/${invoice}`,
    open: ['Change Setup'],
    wrong: { Name: '', 'Amount (USD)': 'a lot' },
    send: 'Save',
  },
  {
    form: 'charge',
    path: CUSTOMER('charges/new'),
    wrong: { Name: '', 'Amount (USD)': 'a lot', 'Percentage discount': '200' },
    send: 'Save',
  },
  {
    form: 'purchase of an add-on',
    path: ({ buyer }) => `/billing/customers/${buyer}/subscriptions`,
    open: ['Apply Add-on'],
    wrong: { Quantity: 'some' },
    send: 'Apply',
  },
];
