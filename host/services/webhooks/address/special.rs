//! The special addresses, after the registries of IANA.
//!
//! IPv4 is public unless a range says otherwise. IPv6 is the other way round:
//! only 2000::/3 is handed out for the public, and parts of it are special.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::{Ipv4Net, Ipv6Net};

const fn v4(a: u8, b: u8, c: u8, d: u8, prefix: u8) -> Ipv4Net {
    Ipv4Net::new_assert(Ipv4Addr::new(a, b, c, d), prefix)
}

const fn v6(a: u16, b: u16, c: u16, d: u16, e: u16, f: u16, prefix: u8) -> Ipv6Net {
    Ipv6Net::new_assert(Ipv6Addr::new(a, b, c, d, e, f, 0, 0), prefix)
}

const V4: &[(Ipv4Net, &str)] = &[
    (v4(0, 0, 0, 0, 8), "unspecified"),
    (v4(10, 0, 0, 0, 8), "private"),
    (v4(100, 64, 0, 0, 10), "shared by a carrier (CGNAT)"),
    (v4(127, 0, 0, 0, 8), "loopback"),
    // The host agent of a cloud, at a public address.
    (v4(168, 63, 129, 16, 32), "of a cloud's platform"),
    (v4(169, 254, 0, 0, 16), "link-local"),
    (v4(172, 16, 0, 0, 12), "private"),
    (v4(192, 0, 0, 0, 24), "for protocols"),
    (v4(192, 0, 2, 0, 24), "for documentation"),
    (v4(192, 31, 196, 0, 24), "for AS112"),
    (v4(192, 52, 193, 0, 24), "for AMT relays"),
    (v4(192, 88, 99, 0, 24), "for 6to4 relays"),
    (v4(192, 168, 0, 0, 16), "private"),
    (v4(192, 175, 48, 0, 24), "for AS112"),
    (v4(198, 18, 0, 0, 15), "for benchmarks"),
    (v4(198, 51, 100, 0, 24), "for documentation"),
    (v4(203, 0, 113, 0, 24), "for documentation"),
    (v4(224, 0, 0, 0, 4), "multicast"),
    (v4(255, 255, 255, 255, 32), "broadcast"),
    (v4(240, 0, 0, 0, 4), "reserved"),
];

/// The first that matches counts.
const V6: &[(Ipv6Net, &str)] = &[
    (
        Ipv6Net::new_assert(Ipv6Addr::UNSPECIFIED, 128),
        "unspecified",
    ),
    (Ipv6Net::new_assert(Ipv6Addr::LOCALHOST, 128), "loopback"),
    (v6(0, 0, 0, 0, 0, 0, 96), "IPv4-compatible"),
    (v6(0, 0, 0, 0, 0xffff, 0, 96), "IPv4-translated"),
    (v6(0x64, 0xff9b, 1, 0, 0, 0, 48), "for local NAT64"),
    (v6(0x100, 0, 0, 0, 0, 0, 64), "discarded"),
    (v6(0x2001, 0, 0, 0, 0, 0, 32), "Teredo"),
    (v6(0x2001, 2, 0, 0, 0, 0, 48), "for benchmarks"),
    (v6(0x2001, 0, 0, 0, 0, 0, 23), "for protocols"),
    (v6(0x2001, 0xdb8, 0, 0, 0, 0, 32), "for documentation"),
    (v6(0x2002, 0, 0, 0, 0, 0, 16), "6to4"),
    (v6(0x2620, 0x4f, 0x8000, 0, 0, 0, 48), "for AS112"),
    (v6(0x3fff, 0, 0, 0, 0, 0, 20), "for documentation"),
    (v6(0x5f00, 0, 0, 0, 0, 0, 16), "for segment routing"),
    (v6(0xfc00, 0, 0, 0, 0, 0, 7), "unique local"),
    (v6(0xfe80, 0, 0, 0, 0, 0, 10), "link-local"),
    (v6(0xfec0, 0, 0, 0, 0, 0, 10), "site-local"),
    (v6(0xff00, 0, 0, 0, 0, 0, 8), "multicast"),
];

const GLOBAL: Ipv6Net = v6(0x2000, 0, 0, 0, 0, 0, 3);

const MAPPED: Ipv6Net = v6(0, 0, 0, 0, 0, 0xffff, 96);

const NAT64: Ipv6Net = v6(0x64, 0xff9b, 0, 0, 0, 0, 96);

/// What `address` is, with the range, unless it is public.
pub(super) fn rule(address: IpAddr) -> Option<String> {
    match unmapped(address) {
        IpAddr::V4(inner) => {
            let rule = rule_v4(inner)?;
            Some(match address.is_ipv4() {
                true => rule,
                false => format!("{inner} in IPv6, which is {rule}"),
            })
        }
        IpAddr::V6(address) => rule_v6(address),
    }
}

/// The IPv4 address that a connection to `address` goes to, if it is one
/// written as IPv6; through NAT64 as well, by which hosts without IPv4 reach
/// public ones.
pub(super) fn unmapped(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) if MAPPED.contains(&v6) || NAT64.contains(&v6) => last_four(v6).into(),
        address => address,
    }
}

fn rule_v4(address: Ipv4Addr) -> Option<String> {
    let (range, what) = V4.iter().find(|(range, _)| range.contains(&address))?;
    Some(format!("{what} ({range})"))
}

fn rule_v6(address: Ipv6Addr) -> Option<String> {
    if let Some((range, what)) = V6.iter().find(|(range, _)| range.contains(&address)) {
        return Some(format!("{what} ({range})"));
    }
    if !GLOBAL.contains(&address) {
        return Some(format!("reserved (outside {GLOBAL})"));
    }
    // An ISATAP router sends on to the IPv4 address within, in any prefix.
    let [_, _, _, _, e, f, _, _] = address.segments();
    if e & 0xfcff == 0 && f == 0x5efe {
        let inner = last_four(address);
        return rule_v4(inner).map(|rule| format!("ISATAP for {inner}, which is {rule}"));
    }
    None
}

fn last_four(address: Ipv6Addr) -> Ipv4Addr {
    let [.., a, b, c, d] = address.octets();
    Ipv4Addr::new(a, b, c, d)
}
