//! Every range at its edges, and every spelling of an address in a URL.

use super::*;

/// Addresses, and a word of the rule that refuses them.
const REFUSED: &[(&str, &str)] = &[
    ("0.0.0.0", "unspecified"),
    ("0.0.0.1", "unspecified"),
    ("0.255.255.255", "unspecified"),
    ("10.0.0.0", "private"),
    ("10.0.0.1", "private"),
    ("10.255.255.255", "private"),
    ("100.64.0.0", "CGNAT"),
    ("100.100.100.200", "CGNAT"),
    ("100.127.255.255", "CGNAT"),
    ("127.0.0.0", "loopback"),
    ("127.0.0.1", "loopback"),
    ("127.0.1.1", "loopback"),
    ("127.255.255.255", "loopback"),
    ("168.63.129.16", "platform"),
    ("169.254.0.0", "link-local"),
    ("169.254.169.254", "link-local"),
    ("169.254.170.2", "link-local"),
    ("169.254.255.255", "link-local"),
    ("172.16.0.0", "private"),
    ("172.17.0.1", "private"),
    ("172.31.255.255", "private"),
    ("192.0.0.0", "protocols"),
    ("192.0.0.170", "protocols"),
    ("192.0.2.1", "documentation"),
    ("192.31.196.1", "AS112"),
    ("192.52.193.1", "AMT"),
    ("192.88.99.1", "6to4"),
    ("192.168.0.0", "private"),
    ("192.168.1.1", "private"),
    ("192.168.255.255", "private"),
    ("192.175.48.1", "AS112"),
    ("198.18.0.0", "benchmarks"),
    ("198.19.255.255", "benchmarks"),
    ("198.51.100.255", "documentation"),
    ("203.0.113.0", "documentation"),
    ("224.0.0.0", "multicast"),
    ("224.0.0.251", "multicast"),
    ("239.255.255.255", "multicast"),
    ("240.0.0.0", "reserved"),
    ("255.255.255.254", "reserved"),
    ("255.255.255.255", "broadcast"),
    ("::", "unspecified"),
    ("::1", "loopback"),
    ("::2", "compatible"),
    ("::127.0.0.1", "compatible"),
    ("::10.0.0.1", "compatible"),
    ("::8.8.8.8", "compatible"),
    ("::ffff:0.0.0.0", "unspecified"),
    ("::ffff:127.0.0.1", "loopback"),
    ("::ffff:7f00:1", "loopback"),
    ("::ffff:10.1.2.3", "private"),
    ("::ffff:169.254.169.254", "link-local"),
    ("::ffff:a9fe:a9fe", "link-local"),
    ("::ffff:192.168.0.1", "private"),
    ("::ffff:255.255.255.255", "broadcast"),
    ("::ffff:0:127.0.0.1", "translated"),
    ("::ffff:0:8.8.8.8", "translated"),
    ("64:ff9b::127.0.0.1", "loopback"),
    ("64:ff9b::10.0.0.1", "private"),
    ("64:ff9b::a9fe:a9fe", "link-local"),
    ("64:ff9b::1:7f00:1", "reserved"),
    ("64:ff9b:1::", "NAT64"),
    ("64:ff9b:1::7f00:1", "NAT64"),
    ("64:ff9b:1:ffff:ffff:ffff:ffff:ffff", "NAT64"),
    ("64:ff9b:2::1", "reserved"),
    ("100::", "discarded"),
    ("100::ffff:ffff:ffff:ffff", "discarded"),
    ("100:0:0:1::", "reserved"),
    ("200::1", "reserved"),
    ("1fff:ffff::1", "reserved"),
    ("2001::", "Teredo"),
    ("2001:0:4136:e378:8000:63bf:3fff:fdd2", "Teredo"),
    ("2001:0:7f00:1::80ff:fffe", "Teredo"),
    ("2001:1::1", "protocols"),
    ("2001:2::1", "benchmarks"),
    ("2001:10::1", "protocols"),
    ("2001:20::1", "protocols"),
    ("2001:30::1", "protocols"),
    ("2001:1ff:ffff::1", "protocols"),
    ("2001:db8::", "documentation"),
    ("2001:db8:ffff::1", "documentation"),
    ("2002:7f00:1::", "6to4"),
    ("2002:7f00:1::1", "6to4"),
    ("2002:a00:1::1", "6to4"),
    ("2002:a9fe:a9fe::1", "6to4"),
    ("2002:808:808::1", "6to4"),
    ("2620:4f:8000::1", "AS112"),
    ("2a00:1450:4001::5efe:10.0.0.1", "ISATAP"),
    ("2a00:1450:4001::200:5efe:127.0.0.1", "ISATAP"),
    ("2a00:1450:4001::100:5efe:192.168.0.1", "ISATAP"),
    ("2a00:1450:4001:0:300:5efe:a9fe:a9fe", "ISATAP"),
    ("3fff::1", "documentation"),
    ("3fff:fff:ffff::1", "documentation"),
    ("4000::1", "reserved"),
    ("5f00::1", "segment routing"),
    ("8000::1", "reserved"),
    ("e000::1", "reserved"),
    ("fc00::", "unique local"),
    ("fd00::1", "unique local"),
    ("fd00:ec2::254", "unique local"),
    ("fdff:ffff::1", "unique local"),
    ("fe00::1", "reserved"),
    ("fe80::", "link-local"),
    ("fe80::1", "link-local"),
    ("fe80::5efe:10.0.0.1", "link-local"),
    ("febf::1", "link-local"),
    ("fec0::1", "site-local"),
    ("feff::1", "site-local"),
    ("ff00::", "multicast"),
    ("ff02::1", "multicast"),
    ("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "multicast"),
];

const PUBLIC: &[&str] = &[
    "1.0.0.0",
    "1.1.1.1",
    "8.8.8.8",
    "9.255.255.255",
    "11.0.0.0",
    "100.63.255.255",
    "100.128.0.0",
    "126.255.255.255",
    "128.0.0.0",
    "168.63.129.15",
    "169.253.255.255",
    "169.255.0.0",
    "172.15.255.255",
    "172.32.0.0",
    "192.0.1.0",
    "192.0.3.0",
    "192.167.255.255",
    "192.169.0.0",
    "198.17.255.255",
    "198.20.0.0",
    "198.51.99.255",
    "203.0.114.0",
    "223.255.255.255",
    "::ffff:8.8.8.8",
    "64:ff9b::8.8.8.8",
    "2001:200::1",
    "2001:4860:4860::8888",
    "2001:db7::1",
    "2001:db9::1",
    "2003::1",
    "2606:4700:4700::1111",
    "2a00:1450:4001::5efe:8.8.8.8",
    "2a00:1450:4001:800::200e",
    "3ffe::1",
];

/// Hosts of URLs that all mean a special address.
const SPELLINGS: &[&str] = &[
    "127.0.0.1",
    "127.1",
    "127.0.1",
    "0x7f.1",
    "0x7f.0.0.1",
    "0x7f000001",
    "0X7F000001",
    "2130706433",
    "017700000001",
    "0177.0.0.1",
    "0177.0.0.01",
    "0x7f.0x0.0x0.0x1",
    "127.0.0.1.",
    "127.1.",
    "%31%32%37.0.0.1",
    "127。0。0。1",
    "127.0.0.1",
    "①②⑦.⓪.⓪.①",
    "0",
    "0x0",
    "0.0.0.0",
    "10.1",
    "012.0.0.1",
    "0xa000001",
    "167772161",
    "169.254.43518",
    "2852039166",
    "0xa9fea9fe",
    "0251.0376.0251.0376",
    "3232235777",
    "192.168.257",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[0000:0000:0000:0000:0000:0000:0000:0001]",
    "[::ffff:127.0.0.1]",
    "[::FFFF:7F00:1]",
    "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "[fd00:ec2::254]",
];

#[test]
fn special_addresses_are_refused_by_their_rule() {
    assert!(REFUSED.len() >= 100);
    for (address, word) in REFUSED {
        let address: IpAddr = address.parse().unwrap();
        let error = Allowed::default()
            .admit("a.example", [address])
            .unwrap_err()
            .to_string();
        assert!(error.contains(word), "{word}: {error}");
        assert!(
            error.contains(&format!("allow = [\"{address}\"]")),
            "{error}"
        );
    }
}

#[test]
fn public_addresses_are_admitted() {
    for address in PUBLIC {
        let address: IpAddr = address.parse().unwrap();
        assert_eq!(
            Allowed::default().admit("a.example", [address]),
            Ok(vec![address])
        );
    }
}

#[test]
fn spellings_of_special_addresses_are_seen_through() {
    for host in SPELLINGS {
        let url = Url::parse(&format!("http://{host}/")).unwrap();
        let refused = Allowed::default().admit_literal(&url);
        assert!(refused.is_err(), "{host} -> {url}");
    }
    for host in [
        "8.8.8.8",
        "[2606:4700:4700::1111]",
        "a.example",
        "127.0.0.1.example",
    ] {
        let url = Url::parse(&format!("http://{host}/")).unwrap();
        assert_eq!(Allowed::default().admit_literal(&url), Ok(()), "{host}");
    }
}

#[test]
fn a_range_allows_its_addresses_in_every_form() {
    let ranges = ["10.0.0.0/8", "::1"].map(|range| range.parse().unwrap());
    let allowed = Allowed::new(&ranges[..1], &ranges[1..]);
    for address in [
        "10.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "::1",
        "8.8.8.8",
    ] {
        assert!(
            allowed
                .admit("a.example", [address.parse().unwrap()])
                .is_ok(),
            "{address}"
        );
    }
    for address in ["11.0.0.1", "127.0.0.1", "::2", "2002:a00:1::"] {
        let refused = allowed
            .admit("a.example", [address.parse().unwrap()])
            .is_err();
        assert_eq!(refused, address != "11.0.0.1", "{address}");
    }
}

#[test]
fn of_mixed_addresses_the_public_ones_are_used() {
    let addresses = ["127.0.0.1", "8.8.8.8", "10.0.0.1"].map(|address| address.parse().unwrap());
    let admitted = Allowed::default().admit("a.example", addresses).unwrap();
    assert_eq!(admitted, [addresses[1]]);
    let error = Allowed::default()
        .admit("a.example", [addresses[0], addresses[2]])
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "a.example is refused: the address 127.0.0.1 is loopback (127.0.0.0/8); if the endpoint \
         belongs there, add `allow = [\"127.0.0.1\"]` to it"
    );
    let none = Allowed::default().admit("a.example", []).unwrap_err();
    assert_eq!(
        none.to_string(),
        "a.example has no address; mend the URL or the name"
    );
}
