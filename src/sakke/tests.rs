use super::*;
fn v(n: &str) -> Vec<u8> {
    let t = include_str!("../../vectors/rfc6508-sakke.txt");
    let l = t.lines().find(|l| l.starts_with(&format!("{n} = "))).unwrap();
    let h = l.split(" = ").nth(1).unwrap();
    (0..h.len() / 2).map(|i| u8::from_str_radix(&h[2 * i..2 * i + 2], 16).unwrap()).collect()
}
#[test]
fn rfc() {
    let m = MasterSecret::from_bytes(&v("z")).unwrap();
    assert_eq!(m.public_key().to_bytes().to_vec(), v("Z"));
    let k = KmsTables::new(&PublicKey::from_bytes(&v("Z")).unwrap());
    let rsk = m.extract(&v("id")).unwrap();
    assert_eq!(rsk.to_bytes().to_vec(), v("RSK"));
    let ssv = SharedSecret::new(v("SSV").try_into().unwrap());
    let e = k.encapsulate(&v("id"), &ssv).unwrap();
    assert_eq!(e.to_bytes().to_vec(), v("SED"));
    let r = rsk.validate(&v("id"), &k).unwrap();
    assert_eq!(r.decapsulate(&k, &e).unwrap().as_bytes(), ssv.as_bytes());
    macro_rules! b {
        ($n:expr,$e:expr) => {
            let mut best = 1e9f64;
            for _ in 0..20 {
                let t = std::time::Instant::now();
                for _ in 0..10 {
                    let _ = std::hint::black_box($e);
                }
                best = best.min(t.elapsed().as_nanos() as f64 / 10.0);
            }
            println!("{} {:.1} us", $n, best / 1000.);
        };
    }
    b!("tables", KmsTables::new(k.public_key()));
    b!("extract", m.extract(&v("id")));
    b!("encaps", k.encapsulate(&v("id"), &ssv));
    b!("decaps", r.decapsulate(&k, &e));
    b!("validate", ReceiverSecretKey::from_bytes(&v("RSK")).unwrap().validate(&v("id"), &k));
    b!("pk parse", PublicKey::from_bytes(&v("Z")));
}
