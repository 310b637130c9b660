package docextract

import (
	"net/netip"
	"testing"
)

func TestObjections(t *testing.T) {
	guard := newAddressGuard()
	for address, want := range map[string]string{
		"8.8.8.8": "", "1.1.1.1": "", "52.216.0.1": "", "100.63.255.255": "", "100.128.0.0": "", "172.15.0.1": "", "172.32.0.1": "",
		"192.167.255.255": "", "169.253.1.1": "", "198.17.255.255": "", "223.255.255.255": "", "2606:4700::1111": "", "2a00:1450::1": "",
		"::ffff:8.8.8.8": "", "64:ff9b::808:808": "", "2002:808:808::1": "",

		"0.0.0.0": "unspecified", "::": "unspecified", "0.1.2.3": "of this network",
		"127.0.0.1": "loopback", "127.255.255.254": "loopback", "::1": "loopback", "::ffff:127.0.0.1": "loopback",
		"10.0.0.1": "private", "172.16.0.1": "private", "172.31.255.255": "private", "192.168.1.1": "private", "::ffff:10.1.2.3": "private",
		"fc00::1": "private", "fd00:ec2::254": "private", "169.254.169.254": "link-local", "::ffff:169.254.169.254": "link-local",
		"fe80::1": "link-local", "fe80::1%eth0": "link-local", "fec0::1": "not global",
		"100.64.0.1": "carrier-grade NAT", "100.127.255.255": "carrier-grade NAT", "192.0.0.8": "reserved", "192.88.99.1": "a 6to4 relay",
		"192.0.2.1": "for documentation", "198.51.100.7": "for documentation", "203.0.113.9": "for documentation",
		"2001:db8::1": "for documentation", "3fff::1": "for documentation", "198.18.0.1": "for benchmarks", "198.19.255.255": "for benchmarks",
		"224.0.0.1": "multicast", "239.255.255.255": "multicast", "ff02::1": "multicast", "ff0e::1": "multicast",
		"240.0.0.1": "reserved", "255.255.255.255": "reserved",
		"64:ff9b::7f00:1": "loopback", "64:ff9b::a9fe:a9fe": "link-local", "64:ff9b::a00:1": "private", "64:ff9b:1::808:808": "not global",
		"2002:7f00:1::1": "loopback", "2002:a9fe:a9fe::1": "link-local", "2002:c0a8:101::": "private",
		"2001:0:4136:e378::": "reserved", "2001:2::1": "reserved", "::7f00:1": "not global", "::a00:1": "not global", "100::1": "not global",
		"5f00::1": "not global", "::ffff:0:127.0.0.1": "not global",
	} {
		if got := guard.objection(netip.MustParseAddr(address)); got != want {
			t.Errorf("%s is %q, want %q", address, got, want)
		}
	}
	if guard.objection(netip.Addr{}) == "" {
		t.Error("no objection to no address")
	}
}

func TestOddNumbers(t *testing.T) {
	for host, want := range map[string]bool{
		"2130706433": true, "0x7f000001": true, "0X7F.1": true, "127.1": true, "0177.0.0.1": true, "127.0.0.1.": true, "1.2.3.4.5": true,
		"0x": true, "a.0x7f": true, "127.0.0.1": false, "::1": false, "example.com": false, "1.example": false, "0xg": false, "a1": false, "x.beef": false,
	} {
		if got := oddNumber(host); got != want {
			t.Errorf("%s: %v", host, got)
		}
	}
}

// TestDownloadersUseNoProxy: a proxy would dial what is refused here.
func TestDownloadersUseNoProxy(t *testing.T) {
	d, err := NewDownloader(DownloadOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if d.transport.Proxy != nil || d.transport.DialTLSContext != nil {
		t.Error("the transport connects in another way than by the guarded dial")
	}
}
