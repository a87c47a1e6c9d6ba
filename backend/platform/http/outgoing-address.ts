import { BlockList, isIP } from 'node:net';

/**
 * Addresses that outgoing calls do not go to unless the operator says so: the machine itself, what answers on the local
 * link, and where clouds hand out credentials to whoever asks. Private networks are where an Admin API stands; they are
 * no reason to refuse.
 */
const REFUSED: readonly string[] = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '224.0.0.0/4',
  '240.0.0.0/4',
  // ::, ::1, and IPv4 addresses in a form that nobody uses any more.
  '::/96',
  'fe80::/10',
  'ff00::/8',
  // 169.254.169.254 of nearly all clouds, containers' 169.254.170.2 and .23 (AWS), .0.23 (Tencent), .42.42 (Scaleway).
  '169.254.0.0/16',
  // AWS: instance metadata, credentials of pods.
  'fd00:ec2::254',
  'fd00:ec2::23',
  // Google Cloud.
  'fd20:ce::254',
  // Azure: the host's agent, which hands out certificates and extensions' secrets.
  '168.63.129.16',
  // Alibaba Cloud.
  '100.100.100.200',
  // Oracle Cloud, and its older generation.
  'fd00:c1::a9fe:a9fe',
  '192.0.0.192',
  // Scaleway, Akamai (Linode).
  'fd00:42::42',
  'fd00:a9fe:a9fe::/48',
];

/**
 * What is besides not the open Internet: networks of one's own, those of carriers, for documents and for tests, and ways to
 * write an IPv4 address in an IPv6 one that lead past these rules (6to4, Teredo, local translation).
 */
const NOT_PUBLIC: readonly string[] = [
  '10.0.0.0/8',
  '100.64.0.0/10',
  '172.16.0.0/12',
  '192.0.0.0/24',
  '192.0.2.0/24',
  '192.88.99.0/24',
  '192.168.0.0/16',
  '198.18.0.0/15',
  '198.51.100.0/24',
  '203.0.113.0/24',
  '64:ff9b:1::/48',
  '100::/64',
  '2001::/32',
  '2001:db8::/32',
  '2002::/16',
  'fc00::/7',
  'fec0::/10',
];

/** IPv4 addresses as an IPv6-only network reaches them (RFC 6052): judged as what they lead to. */
const TRANSLATED = '64:ff9b::/96';

/** The machine itself, as people write it. */
const LOOPBACK: readonly string[] = ['127.0.0.0/8', '::1'];

/** Where an outgoing call may go. */
export interface OutgoingPolicy {
  /** @param address numeric */
  mayReach(address: string): boolean;
}

/** What an address range is: "127.0.0.1", "10.0.0.0/8", "fe80::/10". */
export function isAddressRange(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number.parseInt(bits, 10) <= (family === 4 ? 32 : 128));
}

/**
 * What may be reached for a URL that the operator has set. Who writes "localhost" or 127.0.0.1 means it; a name that
 * leads to the machine itself, or anything on the local link, has to be allowed by its address.
 * @param allowed addresses and ranges, as `isAddressRange` takes them
 */
export function outgoingPolicy(url: string, allowed: readonly string[]): OutgoingPolicy {
  const { hostname } = new URL(url);
  const host = hostname.replace(/^\[(.*)\]$/, '$1');
  const saysLoopback = host === 'localhost' || (isIP(host) !== 0 && contains(listOf(LOOPBACK), host));
  const exempt = listOf(saysLoopback ? [...allowed, ...LOOPBACK] : allowed);
  const refused = listOf(REFUSED);
  const mayReach = (address: string) => contains(exempt, address) || !contains(refused, address);
  return { mayReach: (address) => isIP(address) !== 0 && mayReach(untranslated(address)) };
}

/**
 * What may be reached for a URL that a user of the API has set: the open Internet over TLS, and nothing of the operator's
 * but what is allowed by its address. Without TLS only what is allowed.
 * @param allowed addresses and ranges, as `isAddressRange` takes them
 */
export function publicPolicy(allowed: readonly string[]): { https: OutgoingPolicy; http: OutgoingPolicy } {
  const exempt = listOf(allowed);
  const refused = listOf([...REFUSED, ...NOT_PUBLIC]);
  const isExempt = (address: string) => contains(exempt, address);
  const judged = (judge: (address: string) => boolean): OutgoingPolicy => ({
    mayReach: (address) => isIP(address) !== 0 && judge(untranslated(address)),
  });
  return { https: judged((address) => isExempt(address) || !contains(refused, address)), http: judged(isExempt) };
}

function listOf(ranges: readonly string[]): BlockList {
  const list = new BlockList();
  for (const range of ranges) {
    const [address = '', bits] = range.split('/');
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6';
    if (bits === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number.parseInt(bits, 10), family);
  }
  return list;
}

/** An IPv4 address is the same one when it is written as IPv6 (::ffff:127.0.0.1). */
function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}

const translated = listOf([TRANSLATED]);

/** "64:ff9b::a9fe:a9fe" and "64:ff9b::169.254.169.254" are 169.254.169.254. */
function untranslated(address: string): string {
  if (isIP(address) !== 6 || !translated.check(address, 'ipv6')) return address;
  const last = new URL(`http://[${address.split('%', 1)[0]}]`).hostname.slice(1, -1).split('::')[1] ?? '';
  const [high, low] = last.includes(':') ? last.split(':') : ['0', last === '' ? '0' : last];
  const bits = [high, low].flatMap((group = '0') => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 255];
  });
  return bits.join('.');
}
