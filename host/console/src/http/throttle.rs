//! A brake on guessing passwords.

use std::{
    net::{IpAddr, Ipv6Addr},
    num::NonZeroU32,
};

use governor::{
    DefaultKeyedRateLimiter, Quota, RateLimiter,
    clock::{Clock as _, DefaultClock},
};

use crate::service::Error;

/// Counts tries per address and per name. The name's brake is the looser one,
/// so that a stranger can slow an administrator down but hardly lock them out.
pub struct Throttle {
    per_address: DefaultKeyedRateLimiter<IpAddr>,
    per_name: DefaultKeyedRateLimiter<String>,
    clock: DefaultClock,
}

const PER_ADDRESS: NonZeroU32 = NonZeroU32::new(10).expect("not zero");
const PER_NAME: NonZeroU32 = NonZeroU32::new(30).expect("not zero");
/// Beyond so many different keys the old ones are forgotten before new ones are counted.
const KEYS: usize = 10_000;

impl Default for Throttle {
    fn default() -> Self {
        Self {
            per_address: RateLimiter::keyed(Quota::per_minute(PER_ADDRESS)),
            per_name: RateLimiter::keyed(Quota::per_minute(PER_NAME)),
            clock: DefaultClock::default(),
        }
    }
}

impl Throttle {
    /// Counts one try; refuses it when there were too many.
    pub fn count(&self, address: IpAddr, name: &str) -> Result<(), Error> {
        if self.per_address.len() > KEYS || self.per_name.len() > KEYS {
            self.per_address.retain_recent();
            self.per_name.retain_recent();
        }
        // A name can be as long as a request body; what is kept of it is short.
        let name: String = name.to_lowercase().chars().take(64).collect();
        // An address that is refused already spends nothing of the name's tries.
        self.per_address
            .check_key(&network(address))
            .and_then(|()| self.per_name.check_key(&name))
            .map_err(|until| Error::Throttled(until.wait_time_from(self.clock.now()).as_secs() + 1))
    }
}

/// What a caller is known by: an IPv6 caller has a whole /64 to choose
/// addresses from.
pub fn network(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(_) => address,
        IpAddr::V6(v6) => match v6.to_ipv4_mapped() {
            Some(v4) => v4.into(),
            None => Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX)).into(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_eleventh_try_of_a_minute_is_refused_and_others_are_not() {
        let throttle = Throttle::default();
        let address = "192.0.2.1".parse().expect("an address");
        for number in 0..10 {
            assert!(throttle.count(address, "anna").is_ok(), "try {number}");
        }
        assert!(matches!(throttle.count(address, "anna"), Err(Error::Throttled(1..=7))));
        assert!(throttle.count("192.0.2.2".parse().expect("an address"), "anna").is_ok());
    }

    #[test]
    fn one_address_alone_never_locks_a_name() {
        let throttle = Throttle::default();
        let stranger = "192.0.2.1".parse().expect("an address");
        for _ in 0..1000 {
            let _ = throttle.count(stranger, "admin");
        }
        assert!(throttle.count("192.0.2.2".parse().expect("an address"), "admin").is_ok());
    }

    #[test]
    fn addresses_of_one_ipv6_network_count_as_one() {
        let throttle = Throttle::default();
        for host in 0..10 {
            let address = format!("2001:db8::{host}").parse().expect("an address");
            assert!(throttle.count(address, &host.to_string()).is_ok());
        }
        assert!(throttle.count("2001:db8::ffff".parse().expect("an address"), "x").is_err());
        assert!(throttle.count("2001:db8:0:1::1".parse().expect("an address"), "x").is_ok());
    }
}
