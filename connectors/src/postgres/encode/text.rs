//! Values that come as text and travel as bytes: addresses, and text itself.
//!
//! Knows no arrays.

use std::net::IpAddr;

use bytes::{BufMut, BytesMut};

/// Appends text, which may be so many characters long at most.
pub(super) fn put(text: &str, limit: Option<usize>, out: &mut BytesMut) -> Result<(), String> {
    if text.as_bytes().contains(&0) {
        return Err("text in PostgreSQL cannot hold the character U+0000".to_owned());
    }
    if let Some(limit) = limit.filter(|limit| text.len() > *limit) {
        // Blanks beyond the length are cut off, as the SQL standard has it.
        if let Some((end, _)) = text.char_indices().nth(limit)
            && text.get(end..).is_some_and(|rest| rest.bytes().any(|byte| byte != b' '))
        {
            return Err(format!("longer than {limit} characters"));
        }
    }
    put_bytes(text.as_bytes(), out)
}

/// Whether JSON holds U+0000, as it is or escaped.
pub(super) fn holds_nul(json: &str) -> bool {
    json.as_bytes().contains(&0)
        || json.match_indices("\\u0000").any(|(at, _)| {
            let before = json.get(..at).unwrap_or_default();
            before.bytes().rev().take_while(|byte| *byte == b'\\').count() % 2 == 0
        })
}

/// Appends length and bytes.
pub(super) fn put_bytes(bytes: &[u8], out: &mut BytesMut) -> Result<(), String> {
    out.put_i32(i32::try_from(bytes.len()).map_err(|_| "too long".to_owned())?);
    out.extend_from_slice(bytes);
    Ok(())
}

/// Appends `inet` or `cidr`: family, bits, which of both, length, address.
pub(super) fn put_inet(text: &str, is_cidr: bool, out: &mut BytesMut) -> Result<(), String> {
    let invalid = || "not an IP address or network".to_owned();
    let (address, bits) =
        text.trim().split_once('/').map_or((text.trim(), None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.parse().map_err(|_| invalid())?;
    let (family, octets) = match address {
        // The server's AF_INET, and one more for version 6.
        IpAddr::V4(address) => (2_u8, address.octets().to_vec()),
        IpAddr::V6(address) => (3_u8, address.octets().to_vec()),
    };
    let most = u8::try_from(octets.len() * 8).map_err(|_| invalid())?;
    let bits = match bits {
        Some(bits) => bits.parse::<u8>().ok().filter(|bits| *bits <= most).ok_or_else(invalid)?,
        None => most,
    };
    if is_cidr && has_host_bits(&octets, bits) {
        return Err("a network has bits to the right of its mask".to_owned());
    }
    out.put_i32(i32::try_from(octets.len() + 4).map_err(|_| invalid())?);
    out.put_u8(family);
    out.put_u8(bits);
    out.put_u8(u8::from(is_cidr));
    out.put_u8(most / 8);
    out.extend_from_slice(&octets);
    Ok(())
}

fn has_host_bits(octets: &[u8], bits: u8) -> bool {
    octets.iter().enumerate().any(|(index, octet)| {
        let network = usize::from(bits).saturating_sub(index * 8).min(8);
        let mask = u8::try_from((0xff00_u32 >> network) & 0xff).unwrap_or_default();
        octet & !mask != 0
    })
}

/// Appends `macaddr`: six bytes in any of the usual spellings.
pub(super) fn put_macaddr(text: &str, out: &mut BytesMut) -> Result<(), String> {
    let digits: String = text.trim().chars().filter(|c| !matches!(c, ':' | '-' | '.')).collect();
    let value = u64::from_str_radix(&digits, 16).ok().filter(|_| digits.len() == 12);
    let value = value.ok_or_else(|| "not a MAC address".to_owned())?;
    out.put_i32(6);
    out.extend_from_slice(value.to_be_bytes().get(2..).unwrap_or_default());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_may_have_no_bits_outside_their_mask() {
        let mut out = BytesMut::new();
        assert!(put_inet("10.1.0.0/16", true, &mut out).is_ok());
        assert!(put_inet("10.1.0.1/16", true, &mut out).is_err());
        assert!(put_inet("10.1.0.1/16", false, &mut out).is_ok());
        assert!(put_inet("2001:db8::/32", true, &mut out).is_ok());
        assert!(put_inet("10.1.0.0/33", false, &mut out).is_err());
    }

    #[test]
    fn only_blanks_may_go_beyond_the_length() {
        let mut out = BytesMut::new();
        assert!(put("äöü  ", Some(3), &mut out).is_ok());
        assert!(put("äöüß", Some(3), &mut out).is_err());
        assert!(put("a\0", None, &mut out).is_err());
    }
}
