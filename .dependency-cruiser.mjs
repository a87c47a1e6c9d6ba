// The house rules of the import graph. Numbers refer to docs/architecture.md.

/** From the ground up: an area may import those before it, never those after it (rule 2). */
const AREAS = [
  'access',
  'metering',
  'catalog',
  'customers',
  'billing',
  'payments',
  'notifications',
  'search',
  'monitoring',
];
const AREA = `(${AREAS.join('|')})`;
/** Modules are the folders of an area. */
const MODULES = `^backend/${AREA}/([^/]+)/`;

/** Modules that may not be imported by the given lower module of their area. */
const notAbove = (area, lower, ...higher) => ({
  name: `direction-${lower}`,
  comment: `Rule 2: ${lower} lies below ${higher.join(', ')}.`,
  severity: 'error',
  from: { path: `^backend/${area}/${lower}/` },
  to: { path: `^backend/${area}/(${higher.join('|')})/` },
});

/** Modules of an area from the ground up: none imports one that comes later. Those of one row do not import each other. */
const inOrder = (area, rows) =>
  rows.flatMap((row, index) =>
    row.map((module) => {
      const above = [...row.filter((other) => other !== module), ...rows.slice(index + 1).flat()];
      return notAbove(area, module, ...above);
    }),
  );
const BILLING = [
  ['apps'],
  ['tax'],
  ['billing-profiles'],
  ['credits'],
  ['charges'],
  ['invoice-records'],
  ['adjustments'],
  ['invoices'],
  ['billing-runs'],
  [
    'customer-charges',
    'invoice-previews',
    'invoice-documents',
    'invoice-trace',
    'revenue',
    'cost-estimates',
    'credit-authorisation',
  ],
];

/** Payments: rails do not know each other. */
const PAYMENTS = [['invoice-payments'], ['outgoing'], ['sandbox', 'external', 'stripe']];
const NOTIFICATIONS = [['outbox'], ['deliveries'], ['channels'], ['rules'], ['invoice-events', 'entitlement-events']];

const areaOrder = AREAS.slice(0, -1).map((area, index) => ({
  name: `area-${area}`,
  comment: `Rule 2: ${area} lies below ${AREAS.slice(index + 1).join(', ')}.`,
  severity: 'error',
  from: { path: `^backend/${area}/` },
  to: { path: `^backend/(${AREAS.slice(index + 1).join('|')})/` },
}));

export default {
  forbidden: [
    { name: 'no-cycles', severity: 'error', comment: 'Rule 1: no cycles.', from: {}, to: { circular: true } },
    {
      name: 'platform-imports-nothing-of-ours',
      severity: 'error',
      comment: 'Rule 1: platform/ imports nothing of ours.',
      from: { path: '^backend/platform/' },
      to: { path: '^(backend|plugin|delivery|console|collectors|test|bench|scripts)/', pathNot: '^backend/platform/' },
    },
    {
      name: 'modules-by-their-face',
      severity: 'error',
      comment: 'Rule 1: a module is imported through its index.ts only.',
      from: { path: MODULES },
      to: { path: MODULES, pathNot: ['^backend/$1/$2/', `^backend/${AREA}/[^/]+/index\\.ts$`] },
    },
    {
      name: 'areas-import-platform-and-faces-only',
      severity: 'error',
      comment: 'Rule 1: areas import platform/ and one another, nothing else of the backend.',
      from: { path: `^backend/${AREA}/` },
      to: { path: '^backend/', pathNot: ['^backend/platform/', `^backend/${AREA}/`] },
    },
    {
      name: 'composition-for-app-only',
      severity: 'error',
      comment: 'What composes the modules is known to app.ts alone.',
      from: { pathNot: ['^backend/app\\.ts$', '^backend/composition/'] },
      to: { path: '^backend/composition/' },
    },
    ...areaOrder,
    {
      name: 'access-stands-alone',
      severity: 'error',
      comment: 'Rule 2: access/ knows no domain: it may be used by all.',
      from: { path: '^backend/access/' },
      to: { path: '^backend/', pathNot: ['^backend/platform/', '^backend/access/'] },
    },
    notAbove('metering', 'usage-store', 'events', 'meters', 'gateway-nodes'),
    notAbove('metering', 'events', 'meters'),
    notAbove('catalog', 'features', 'product-catalog', 'plans', 'addons'),
    // What plans and add-ons consist of: pure, like rating, which it prices with.
    notAbove('catalog', 'product-catalog', 'features', 'plans', 'addons', 'currencies', 'tax-codes'),
    notAbove('catalog', 'addons', 'plans'),
    notAbove('customers', 'test-clocks', 'customers', 'subscriptions', 'entitlements', 'usage-sources'),
    notAbove('customers', 'customers', 'subscriptions', 'entitlements', 'usage-sources'),
    notAbove('customers', 'subscriptions', 'entitlements'),
    ...inOrder('billing', BILLING),
    ...inOrder('payments', PAYMENTS),
    ...inOrder('notifications', NOTIFICATIONS),
    {
      name: 'rating-is-pure',
      severity: 'error',
      comment: 'Rule 2: rating/ imports only platform/.',
      from: { path: '^backend/catalog/rating/' },
      to: { path: '^backend/', pathNot: ['^backend/platform/', '^backend/catalog/rating/'] },
    },
    {
      name: 'sql-in-repositories-only',
      severity: 'error',
      comment: 'Rule 3: SQL stands in repository.ts and in the usage store only.',
      from: {
        path: '^backend/',
        pathNot: ['/repository\\.ts$', '^backend/metering/usage-store/', '^backend/platform/(db|postgres)/'],
      },
      to: { path: 'node_modules/(better-sqlite3|kysely|pg)/' },
    },
    {
      name: 'modules-work-in-scopes',
      severity: 'error',
      comment: 'Rule 3: services are given a scope; who opens, migrates and watches the database is not a module.',
      from: {
        path: `^backend/(${AREA}|composition)/`,
        pathNot: ['^backend/composition/parts\\.ts$', '^backend/monitoring/'],
      },
      to: { path: '^backend/platform/db/control-db\\.ts$' },
    },
    {
      name: 'answers-are-typed',
      severity: 'error',
      comment: 'Rule 3: operations answer with `answer`, which holds them to their schema.',
      from: { path: '^backend/', pathNot: '^backend/platform/http/' },
      to: { path: '^backend/platform/http/json-answer\\.ts$' },
    },
    {
      name: 'routes-call-services',
      severity: 'error',
      comment: 'Rule 3: routes call services, never repositories.',
      from: { path: '/routes\\.ts$' },
      to: { path: '/repository\\.ts$' },
    },
    {
      name: 'outside-the-backend',
      severity: 'error',
      comment: 'Rule 4: plugin, catalog, console and collectors never import the backend, nor one another.',
      from: { path: '^(plugin|catalog|console|collectors)/' },
      to: { path: '^(backend|plugin|catalog|console|collectors)/', pathNot: '^$1/' },
    },
    {
      name: 'collectors-core-knows-no-source',
      severity: 'error',
      comment: 'Rule 4: the core, mappings and the configuration of the collectors know no source.',
      from: { path: '^collectors/(core|mapping|config|convert)/' },
      to: { path: '^collectors/', pathNot: '^collectors/(core|mapping|config|convert)/' },
    },
    {
      name: 'sources-by-themselves',
      severity: 'error',
      comment: 'Rule 4: a source imports the core and the values of the configuration, and no other source.',
      from: { path: '^collectors/([^/]+)/', pathNot: '^collectors/(core|mapping|config|convert)/' },
      to: {
        path: '^collectors/',
        pathNot: ['^collectors/$1/', '^collectors/core/', '^collectors/mapping/', '^collectors/config/values'],
      },
    },
    {
      name: 'delivery-knows-no-sender',
      severity: 'error',
      comment: 'Rule 4: delivery/ is shared by the plugin and the collectors, and imports nothing of ours.',
      from: { path: '^delivery/' },
      to: { path: '^(backend|plugin|catalog|console|collectors|test|bench|scripts|demo)/' },
    },
    {
      name: 'delivery-for-senders',
      severity: 'error',
      comment: 'Rule 4: only who sends events has a use for delivery/.',
      from: { path: '^(backend|catalog|console)/' },
      to: { path: '^delivery/' },
    },
    {
      name: 'sdk-imports-nothing-of-ours',
      severity: 'error',
      comment: 'Rule 4: the client is a package of its own.',
      from: { path: '^sdk/' },
      to: { path: '^(backend|plugin|catalog|console|collectors|test|bench|scripts|demo|lint)/' },
    },
    {
      name: 'sdk-by-its-face',
      severity: 'error',
      comment: 'Rule 4: the client is imported through its index.ts only.',
      from: { pathNot: '^sdk/' },
      to: { path: '^sdk/', pathNot: '^sdk/index\\.ts$' },
    },
    {
      name: 'delivery-and-host-know-no-plugin',
      severity: 'error',
      comment: 'Rule 4: delivery/ and host/ import neither plugin.',
      from: { path: '^plugin/(delivery|host)/' },
      to: { path: '^plugin/', pathNot: '^plugin/(delivery|host)/' },
    },
    {
      name: 'backend-knows-no-plugin',
      severity: 'error',
      comment: 'The backend is reached over HTTP only.',
      from: { path: '^backend/' },
      to: { path: '^(plugin|catalog|console|sdk|collectors)/' },
    },
    {
      name: 'nothing-imports-tests',
      severity: 'error',
      from: { path: '^(backend|plugin|delivery|catalog|console|sdk|collectors)/' },
      to: { path: '^(test|bench|scripts|demo)/' },
    },
    { name: 'not-to-unresolvable', severity: 'error', from: {}, to: { couldNotResolve: true } },
    {
      name: 'no-dev-dependency-in-product',
      severity: 'error',
      from: { path: '^(backend|plugin|delivery|catalog|sdk|collectors)/' },
      to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^sdk/dist/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default'],
      extensions: ['.ts', '.js', '.json'],
    },
  },
};
