import { BlockList, isIP } from 'node:net';

/**
 * Addresses that outgoing calls do not go to unless the operator says so: the machine itself, and what answers on the
 * local link, where clouds hand out credentials to whoever asks (169.254.169.254, fd00:ec2::254). Private networks are
 * where an Admin API stands; they are no reason to refuse.
 */
const REFUSED: readonly string[] = [
  '0.0.0.0/8',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '240.0.0.0/4',
  '::/127',
  'fe80::/10',
  'ff00::/8',
  'fd00:ec2::254',
];

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
  return { mayReach: (address) => isIP(address) !== 0 && (contains(exempt, address) || !contains(refused, address)) };
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
