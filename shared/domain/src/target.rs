//! Where a plant's webhook may lead: to a host of the open Internet, by https, and nowhere else.
//!
//! A plant names the address, and our network is nearer to our own machines than the plant's is. So the
//! form of an address is checked when it is saved, and what its name stands for when a connection is made.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

/// The longest address.
const LONGEST: usize = 2000;

/// Endings of names that never belong to a host of the open Internet.
const INSIDE: [&str; 10] = [
    "localhost",
    "localdomain",
    "local",
    "internal",
    "intranet",
    "lan",
    "home",
    "corp",
    "arpa",
    "onion",
];

/// Whether tests on one machine may be the plant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Loopback {
    /// As everywhere.
    #[default]
    Forbidden,
    /// On a local cloud: `http://127.0.0.1:<port>` is taken too.
    Allowed,
}

/// Why an address is no target for a webhook.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("target_forbidden: {0}")]
pub struct Forbidden(String);

/// A webhook's address, checked in its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The address.
    pub url: Url,
    /// The host's name.
    pub host: String,
    /// The port.
    pub port: u16,
}

fn forbidden<T>(why: impl Into<String>) -> Result<T, Forbidden> {
    Err(Forbidden(why.into()))
}

/// Reads a webhook's address.
///
/// # Errors
/// When it could lead anywhere else than to a host of the open Internet.
pub fn target(text: &str, loopback: Loopback) -> Result<Target, Forbidden> {
    let shown: String = text.chars().take(100).collect();
    if text.len() > LONGEST {
        return forbidden(format!("the address is longer than {LONGEST} characters"));
    }
    if !text.bytes().all(|byte| byte.is_ascii_graphic()) || text.contains('\\') {
        return forbidden(format!(
            "`{}` has characters that an address does not have; an international name is written as xn--…",
            shown.escape_default()
        ));
    }
    let Ok(url) = Url::parse(text) else {
        return forbidden(format!("`{shown}` is no address"));
    };
    if url.fragment().is_some() {
        return forbidden(format!("`{shown}` has a `#`, which no server would see"));
    }
    let written = authority(text);
    if written.contains('@') || !url.username().is_empty() || url.password().is_some() {
        return forbidden(format!(
            "`{shown}` has a user name in it; requests are signed instead"
        ));
    }
    let on_this_machine = loopback == Loopback::Allowed
        && url.scheme() == "http"
        && url.host() == Some(Host::Ipv4(Ipv4Addr::LOCALHOST));
    if !on_this_machine && url.scheme() != "https" {
        return forbidden(format!("`{shown}` is not https"));
    }
    let host = match url.host() {
        Some(Host::Domain(name)) => name.to_owned(),
        Some(Host::Ipv4(address)) if on_this_machine => address.to_string(),
        Some(Host::Ipv4(_) | Host::Ipv6(_)) => {
            return forbidden(format!(
                "`{shown}` names a host by its number; a host has a name, and a certificate for it"
            ));
        }
        None => return forbidden(format!("`{shown}` names no host")),
    };
    let port = url.port_or_known_default().unwrap_or(443);
    // Whatever a reader of addresses makes of escapes, signs and digits: what is meant is what is written.
    let plain = [host.clone(), format!("{host}:{port}")];
    if !plain.contains(&written.to_ascii_lowercase()) {
        return forbidden(format!(
            "the host of `{shown}` is read as `{host}`; write it as it is"
        ));
    }
    let ending = host.rsplit('.').next().unwrap_or_default();
    let has_ending = host.contains('.') && !ending.is_empty();
    if !on_this_machine && (!has_ending || INSIDE.contains(&ending)) {
        return forbidden(format!("`{host}` is no host of the open Internet"));
    }
    Ok(Target { url, host, port })
}

/// What stands between `//` and the path.
fn authority(text: &str) -> &str {
    let rest = text.split_once("://").map_or("", |(_, rest)| rest);
    rest.split(['/', '?', '#']).next().unwrap_or_default()
}

impl Target {
    /// Whether a connection to one of the addresses of the host may be made.
    ///
    /// # Errors
    /// When the address is not one of the open Internet.
    pub fn may_connect(&self, address: IpAddr, loopback: Loopback) -> Result<(), Forbidden> {
        let on_this_machine = loopback == Loopback::Allowed
            && self.url.scheme() == "http"
            && address == IpAddr::V4(Ipv4Addr::LOCALHOST);
        if on_this_machine || is_open(address) {
            Ok(())
        } else {
            forbidden(format!(
                "`{}` stands for {address}, which is no address of the open Internet",
                self.host
            ))
        }
    }
}

/// Whether an address is one of the open Internet, by the registries of special-purpose addresses (RFC 6890).
#[must_use]
pub fn is_open(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_open_v4(address),
        IpAddr::V6(address) => is_open_v6(address),
    }
}

fn is_open_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    !matches!(
        (a, b, c),
        (0 | 10 | 127 | 224..=255, _, _)
            // Shared with the customers of a carrier.
            | (100, 64..=127, _)
            // Link-local, where clouds answer with keys.
            | (169, 254, _)
            | (172, 16..=31, _)
            | (192, 168, _)
            | (192, 0, 0 | 2)
            | (192, 88, 99)
            | (198, 18 | 19, _)
            | (198, 51, 100)
            | (203, 0, 113)
    )
}

fn is_open_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // All that is given out lies in 2000::/3; loopback, unique local, link-local, multicast, IPv4-mapped and
    // NAT64 addresses do not. Of what does, these hold an IPv4 address or nothing real.
    let global = (0x2000..=0x3fff).contains(&a);
    let protocols = a == 0x2001 && b < 0x0200;
    let documentation = a == 0x2001 && b == 0x0db8 || a == 0x3fff && b < 0x1000;
    let six_to_four = a == 0x2002;
    global && !protocols && !documentation && !six_to_four
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_address_of_the_open_internet_is_taken() {
        for (text, host, port) in [
            ("https://erp.example.com/interplant", "erp.example.com", 443),
            (
                "https://erp.example.com:8443/in?x=1",
                "erp.example.com",
                8443,
            ),
            ("https://ERP.Example.com", "erp.example.com", 443),
            (
                "https://xn--mller-kva.example/in",
                "xn--mller-kva.example",
                443,
            ),
            // A part of a name may be all digits.
            ("https://10.0.0.1.example.com/", "10.0.0.1.example.com", 443),
        ] {
            let target = target(text, Loopback::Forbidden).unwrap();
            assert_eq!((target.host.as_str(), target.port), (host, port), "{text}");
        }
    }

    #[test]
    fn every_form_that_leads_inside_is_refused_when_it_is_saved() {
        for text in [
            // Not https.
            "http://erp.example.com/",
            "ftp://erp.example.com/",
            "file:///etc/passwd",
            "gopher://erp.example.com/",
            "//erp.example.com/",
            "erp.example.com",
            "",
            // Numbers, in every notation.
            "https://127.0.0.1/",
            "https://127.1/",
            "https://2130706433/",
            "https://0x7f000001/",
            "https://0x7f.0.0.1/",
            "https://0177.0.0.1/",
            "https://017700000001/",
            "https://169.254.169.254/latest/meta-data",
            "https://10.0.0.1/",
            "https://192.168.1.1/",
            "https://8.8.8.8/",
            "https://0/",
            "https://[::1]/",
            "https://[::]/",
            "https://[::ffff:127.0.0.1]/",
            "https://[::ffff:7f00:1]/",
            "https://[64:ff9b::7f00:1]/",
            "https://[fe80::1%25eth0]/",
            "https://[2001:db8::1]/",
            // Names of this machine and this network.
            "https://localhost/",
            "https://LOCALHOST:443/",
            "https://localhost./",
            "https://x.localhost/",
            "https://metadata.google.internal/",
            "https://printer.local/",
            "https://erp/",
            "https://router.lan/",
            "https://1.0.0.127.in-addr.arpa/",
            // A user name that looks like a host.
            "https://erp.example.com@169.254.169.254/",
            "https://erp.example.com:443@127.0.0.1/",
            "https://user:word@erp.example.com/",
            "https://@erp.example.com/",
            // What readers of addresses disagree about.
            "https://erp.example.com\\@127.0.0.1/",
            "https:\\\\127.0.0.1/",
            "https:///127.0.0.1/",
            "https:/127.0.0.1/",
            "https:127.0.0.1/",
            "https://%6c%6f%63%61%6c%68%6f%73%74/",
            "https://127.0.0.1%2f.example.com/",
            "https://erp.example.com./",
            "https://erp.example.com:0443/",
            "https://erp.example.com:99999/",
            "https://erp.example.com#@127.0.0.1/",
            "https://erp.example.com/#part",
            "https://erp.exa\tmple.com/",
            "https://erp.example.com/\r\nX-Injected: 1",
            " https://erp.example.com/",
            "https://erp.example.com\0.local/",
            // Signs and digits of other scripts, which a reader turns into others.
            "https://①②⑦.⓪.⓪.①/",
            "https://１２７.0.0.1/",
            "https://ⓛocalhost/",
            "https://erp。example。com/",
            "https://еrp.example.com/",
        ] {
            let refused = target(text, Loopback::Forbidden);
            assert!(refused.is_err(), "{text:?} was taken: {refused:?}");
            assert!(
                refused
                    .unwrap_err()
                    .to_string()
                    .starts_with("target_forbidden: "),
                "{text:?}"
            );
        }
        let long = format!("https://erp.example.com/{}", "x".repeat(LONGEST));
        assert!(target(&long, Loopback::Forbidden).is_err());
    }

    #[test]
    fn a_name_that_stands_for_an_address_inside_is_refused_when_a_connection_is_made() {
        let target = target("https://erp.example.com/", Loopback::Forbidden).unwrap();
        for address in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.255.255.254",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.255",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "239.255.255.255",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::127.0.0.1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::ffff:8.8.8.8",
            "64:ff9b::8.8.8.8",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::1",
            "100::1",
            "2001::1",
            "2001:10::1",
            "2001:20::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            let parsed = address.parse().unwrap();
            assert!(
                target.may_connect(parsed, Loopback::Forbidden).is_err(),
                "{address} was taken"
            );
        }
        for address in [
            "1.1.1.1",
            "8.8.8.8",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.255.255",
            "172.32.0.1",
            "192.0.1.1",
            "223.255.255.255",
            "2001:200::1",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            let parsed = address.parse().unwrap();
            assert!(
                target.may_connect(parsed, Loopback::Forbidden).is_ok(),
                "{address} was refused"
            );
        }
    }

    #[test]
    fn this_machine_is_a_target_on_a_local_cloud_alone_and_only_by_its_number() {
        let text = "http://127.0.0.1:8080/hook";
        assert!(target(text, Loopback::Forbidden).is_err());
        let here = target(text, Loopback::Allowed).unwrap();
        let loopback = IpAddr::V4(Ipv4Addr::LOCALHOST);
        assert!(here.may_connect(loopback, Loopback::Allowed).is_ok());
        assert!(here.may_connect(loopback, Loopback::Forbidden).is_err());
        for text in [
            "http://localhost:8080/",
            "https://127.0.0.1/",
            "http://10.0.0.1/",
            "http://[::1]/",
            "http://127.0.0.1:80@10.0.0.1/",
        ] {
            assert!(target(text, Loopback::Allowed).is_err(), "{text}");
        }
        let outside = target("https://erp.example.com/", Loopback::Allowed).unwrap();
        assert!(outside.may_connect(loopback, Loopback::Allowed).is_err());
    }

    proptest! {
        #[test]
        fn what_is_taken_names_its_host_as_it_is_written(text in "https?://[a-z0-9.@:/%\\[\\]\\\\_-]{1,40}") {
            if let Ok(target) = target(&text, Loopback::Forbidden) {
                prop_assert!(text.starts_with(&format!("https://{}", target.host)), "{}", text);
                prop_assert!(target.host.parse::<IpAddr>().is_err());
            }
        }

        #[test]
        fn an_ipv4_address_in_another_dress_is_as_closed_as_itself_or_more(bits: u32) {
            let plain = Ipv4Addr::from(bits);
            prop_assert!(!is_open(IpAddr::V6(plain.to_ipv6_mapped())));
            prop_assert!(!is_open(IpAddr::V6(plain.to_ipv6_compatible())));
            let special = plain.is_private() || plain.is_loopback() || plain.is_link_local() || plain.is_broadcast()
                || plain.is_multicast() || plain.is_documentation() || plain.is_unspecified();
            prop_assert!(!special || !is_open(IpAddr::V4(plain)));
        }
    }
}
