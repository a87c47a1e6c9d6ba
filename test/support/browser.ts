import { existsSync } from 'node:fs';
import { type Browser, type BrowserContext, chromium, type Page, type Request } from 'playwright-core';
import { expect } from 'vitest';

/** Debian's browser; elsewhere it is named by the environment. */
const CHROMIUM = process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium';
export const hasBrowser = existsSync(CHROMIUM);

/** Without these a headless browser looks for its maker's servers; as root it has no sandbox. */
const ARGUMENTS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

let shared: Promise<Browser> | undefined;

/**
 * A browser for a file of tests: closing it closes what it has opened. Behind it is one for all files of the process, since
 * starting one takes half a second of a core; it ends with the process.
 */
export async function launchBrowser(): Promise<Browser> {
  if (shared !== undefined && !(await shared).isConnected()) shared = undefined;
  shared ??= chromium.launch({ executablePath: CHROMIUM, args: ARGUMENTS });
  const browser = await shared;
  const opened: BrowserContext[] = [];
  const newContext: Browser['newContext'] = async (options) => {
    const context = await browser.newContext(options);
    opened.push(context);
    return context;
  };
  return Object.assign(Object.create(browser) as Browser, {
    newContext,
    newPage: async (options: Parameters<Browser['newPage']>[0]) => (await newContext(options)).newPage(),
    close: async () => {
      await Promise.all(opened.map((context) => context.close()));
    },
  });
}

/** A tab, and what went wrong in it: messages of the console, exceptions, requests to other hosts. */
export interface Tab {
  page: Page;
  context: BrowserContext;
  /** Opens another page as links do, and waits until it stands: its heading is there, and nothing is on the way. */
  open(path: string): Promise<void>;
  /** Statuses of answers, and where they came from: "403 /v3/openmeter/audit-log". */
  refusals: readonly string[];
  /** Fails when the page complained, or asked another host. */
  expectNoComplaints(): void;
  close(): Promise<void>;
}

/** @param url of the server: nothing else may be asked */
export async function openTab(
  browser: Browser,
  url: string,
  options: { width?: number; height?: number; colorScheme?: 'light' | 'dark'; timezoneId?: string } = {},
): Promise<Tab> {
  const context = await browser.newContext({
    baseURL: url,
    viewport: { width: options.width ?? 1280, height: options.height ?? 900 },
    colorScheme: options.colorScheme ?? 'light',
    // Colours that are on their way would be judged as they are half-way.
    reducedMotion: 'reduce',
    locale: 'en-US',
    timezoneId: options.timezoneId ?? 'UTC',
    permissions: ['clipboard-read', 'clipboard-write'],
  });
  const page = await context.newPage();
  page.setDefaultTimeout(15_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    // A refused request is also told to the console by the browser itself; that it was wanted is the test's matter.
    if (['error', 'warning'].includes(message.type()) && !message.text().startsWith('Failed to load resource')) {
      complaints.push(message.text());
    }
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    const isOwn = request.url().startsWith(`${url}/`) || /^(data|blob):/.test(request.url());
    if (!isOwn) complaints.push(`request to ${request.url()}`);
  });
  const refusals: string[] = [];
  const onTheWay = new Set<Request>();
  page.on('request', (request) => onTheWay.add(request));
  page.on('requestfinished', (request) => onTheWay.delete(request));
  page.on('requestfailed', (request) => onTheWay.delete(request));
  page.on('response', (response) => {
    const { pathname, search } = new URL(response.url());
    if (response.status() >= 400) refusals.push(`${response.status()} ${pathname}${decodeURIComponent(search)}`);
  });
  const quiet = async () => {
    if (onTheWay.size > 0) return false;
    // What has just been drawn may ask for more.
    await page.evaluate('new Promise((drawn) => requestAnimationFrame(() => setTimeout(drawn, 30)))');
    return onTheWay.size === 0;
  };
  return {
    page,
    context,
    refusals,
    open: async (path) => {
      // Of the page that stands already nothing is drawn anew.
      await page.evaluate(
        `if (location.pathname !== ${JSON.stringify(path)}) {
           for (const heading of document.querySelectorAll('h1')) heading.dataset.left = '';
           history.pushState({}, '', ${JSON.stringify(path)});
           dispatchEvent(new PopStateEvent('popstate', { state: {} }));
         }`,
      );
      const heading = page.locator('h1:not([data-left])');
      const leave = page.getByRole('dialog', { name: 'Leave without saving?' }).getByRole('button', { name: 'Leave' });
      await heading.or(leave).first().waitFor();
      // What a test has entered before and not saved it does not want any more.
      if (await leave.isVisible()) await leave.click();
      await heading.waitFor();
      await expect.poll(quiet, { timeout: 15_000 }).toBe(true);
    },
    expectNoComplaints: () => expect(complaints).toEqual([]),
    close: () => context.close(),
  };
}

/** Signs in through the form. */
export async function signIn(page: Page, token: string): Promise<void> {
  await page.getByLabel('Access token').fill(token);
  await page.getByRole('button', { name: 'Sign in' }).click();
  await page.getByRole('button', { name: 'Sign out' }).waitFor();
}

/** Clicks what has this name: a button, or a link; where that leads is reached then. */
export async function click(page: Page, name: string): Promise<void> {
  const options = { name, exact: true };
  const found = page.getByRole('button', options).or(page.getByRole('link', options)).first();
  const path = await found.getAttribute('href');
  await found.click();
  // The page that is left has fields too, of the same names.
  if (path !== null) await page.waitForURL((url) => url.pathname.startsWith(new URL(path, url).pathname));
}
