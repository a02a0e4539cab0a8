//! Where a request comes from.

use std::net::IpAddr;

use actix_web::dev::ServiceRequest;

/// The caller's address. `X-Forwarded-For` counts only when a trusted proxy
/// sent it, and then its last address that is not itself a trusted proxy.
pub fn address(request: &ServiceRequest, trusted: &[IpAddr]) -> Option<IpAddr> {
    let peer = request.peer_addr()?.ip().to_canonical();
    if !trusted.contains(&peer) {
        return Some(peer);
    }
    let hops = request.headers().get_all("x-forwarded-for").filter_map(|value| value.to_str().ok());
    let hops: Vec<_> =
        hops.flat_map(|value| value.split(',')).map(|hop| hop.trim().parse()).collect();
    for hop in hops.into_iter().rev() {
        match hop {
            Ok(address) if trusted.contains(&address) => {}
            Ok(address) => return Some(address),
            // Behind a word that is no address nothing can be believed.
            Err(_) => break,
        }
    }
    Some(peer)
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn from(peer: &str, forwarded: &str, trusted: &str) -> String {
        let request = TestRequest::default()
            .peer_addr(format!("{peer}:1").parse().expect("an address"))
            .insert_header(("x-forwarded-for", forwarded))
            .to_srv_request();
        address(&request, &[trusted.parse().expect("an address")]).expect("a peer").to_string()
    }

    #[test]
    fn a_forwarded_address_counts_only_from_a_trusted_proxy() {
        assert_eq!(from("192.0.2.9", "203.0.113.1", "10.0.0.1"), "192.0.2.9");
        assert_eq!(from("10.0.0.1", "203.0.113.1", "10.0.0.1"), "203.0.113.1");
        assert_eq!(
            from("10.0.0.1", "203.0.113.1, 198.51.100.7, 10.0.0.1", "10.0.0.1"),
            "198.51.100.7"
        );
        assert_eq!(from("10.0.0.1", "203.0.113.1, nonsense", "10.0.0.1"), "10.0.0.1");
    }
}
