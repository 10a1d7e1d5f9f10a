import { badNetwork, badNetworkLen, compileNetworks, inNetworks } from "../../../assembly/match/cidr";
import { arena, get, len, ptr, put } from "../text";

function contains(networks: string, address: string): bool {
  put(networks);
  const set = compileNetworks(arena, ptr, len);
  put(address);
  return inNetworks(set, ptr, len);
}

describe("networks", () => {
  test("IPv4 addresses and blocks", () => {
    expect(contains("192.0.2.1", "192.0.2.1")).toBe(true);
    expect(contains("192.0.2.1", "192.0.2.2")).toBe(false);
    expect(contains("10.0.0.0/8,192.0.2.0/25", "192.0.2.127")).toBe(true);
    expect(contains("10.0.0.0/8,192.0.2.0/25", "192.0.2.128")).toBe(false);
    expect(contains("0.0.0.0/0", "203.0.113.9")).toBe(true);
  });

  test("IPv6 addresses and blocks", () => {
    expect(contains("2001:db8::/32", "2001:db8:1::5")).toBe(true);
    expect(contains("2001:db8::/32", "2001:db9::1")).toBe(false);
    expect(contains("::1", "::1")).toBe(true);
    expect(contains("::1", "0:0:0:0:0:0:0:1")).toBe(true);
    expect(contains("::ffff:192.0.2.1", "192.0.2.1")).toBe(true);
    expect(contains("fe80::/10", "fe80::1")).toBe(true);
    expect(contains("::/0", "fe80::1")).toBe(true);
    expect(contains("::/0", "192.0.2.1")).toBe(false);
  });

  test("what is no address is in none", () => {
    expect(contains("0.0.0.0/0", "localhost")).toBe(false);
    expect(contains("::/0", "1.2.3")).toBe(false);
    expect(contains("::/0", ":::")).toBe(false);
    expect(contains("::/0", "1:2:3:4:5:6:7:8:9")).toBe(false);
  });

  test("a malformed network is named", () => {
    put("10.0.0.0/8,10.0.0.0/33");
    expect(compileNetworks(arena, ptr, len)).toBe(0);
    expect(get(badNetwork, badNetworkLen)).toBe("10.0.0.0/33");
  });
});
