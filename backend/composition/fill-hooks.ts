import { invoicesInUse } from '../billing/invoices/index.ts';
import type { Billing } from './billing.ts';
import type { CustomersArea } from './customers.ts';
import type { Hooks } from './hooks.ts';
import type { Notifications } from './notifications.ts';
import type { Payments } from './payments.ts';

/** To be called once everything is made. The order is the order in which they are asked. */
export function fillHooks(
  { customers, features, subscriptions, entitlements, apps, invoices, customerBilling }: Hooks,
  {
    billing,
    payments,
    notifications,
    ...by
  }: CustomersArea & { billing: Billing; payments: Payments; notifications: Notifications },
): void {
  customers.deletion.register(by.subscriptionBlockers.customerDeletion);
  customers.deletion.register(invoicesInUse.blockDeletion);
  customers.deletion.register(by.entitlements.blocksDeletion);
  customers.subjectKeyChange.register(by.subscriptionBlockers.subjectKeyChange);
  customers.currencyChange.register(by.subscriptionBlockers.currencyChange);

  features.findSubjects.register(by.customers.findByIds);

  subscriptions.billingProblem.register(billing.setupProblem);
  subscriptions.onChange.register(by.entitlements.followCustomer);
  subscriptions.onChange.register(billing.followSubscriptions);

  entitlements.findCredit.register(billing.findCredit);
  for (const follow of payments.onInvoice) invoices.onInvoice.register(follow);
  invoices.onInvoice.register(notifications.onInvoice);

  apps.createProfile.register(billing.profiles.createForApp);
  apps.connect.register(payments.stripe.connect);
  apps.disconnect.register(payments.stripe.disconnect);
  customerBilling.checkStripeData.register(payments.stripe.checkData);
  apps.usersOf.register(async (appId, scope) => [
    ...(await billing.profiles.usersOfApp(appId, scope)),
    ...(await invoicesInUse.open(scope, { appId })).map(({ number }) => `invoice ${number}`),
  ]);
}
