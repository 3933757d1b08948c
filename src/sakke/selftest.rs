pub fn selftest() {}
