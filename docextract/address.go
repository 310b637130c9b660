package docextract

import (
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
)

// addressRange is a range of addresses that no public host has.
type addressRange struct {
	prefix netip.Prefix
	name   string
}

// reservedRanges are, beside what netip can tell, the ranges of the IANA
// special-purpose registries that are not globally reachable.
func reservedRanges() []addressRange {
	return []addressRange{
		{name: "of this network", prefix: netip.MustParsePrefix("0.0.0.0/8")},
		{name: "carrier-grade NAT", prefix: netip.MustParsePrefix("100.64.0.0/10")},
		{name: "reserved", prefix: netip.MustParsePrefix("192.0.0.0/24")},
		{name: "for documentation", prefix: netip.MustParsePrefix("192.0.2.0/24")},
		{name: "a 6to4 relay", prefix: netip.MustParsePrefix("192.88.99.0/24")},
		{name: "for benchmarks", prefix: netip.MustParsePrefix("198.18.0.0/15")},
		{name: "for documentation", prefix: netip.MustParsePrefix("198.51.100.0/24")},
		{name: "for documentation", prefix: netip.MustParsePrefix("203.0.113.0/24")},
		{name: "reserved", prefix: netip.MustParsePrefix("240.0.0.0/4")},
		{name: "reserved", prefix: netip.MustParsePrefix("2001::/23")}, // Teredo, benchmarks, ORCHID
		{name: "for documentation", prefix: netip.MustParsePrefix("2001:db8::/32")},
		{name: "for documentation", prefix: netip.MustParsePrefix("3fff::/20")},
	}
}

// addressGuard tells addresses of public hosts from others.
type addressGuard struct {
	reserved  []addressRange
	global    netip.Prefix // of IPv6
	nat64     netip.Prefix // whose last four bytes are an IPv4 address
	sixToFour netip.Prefix // whose third to sixth byte are one
}

func newAddressGuard() addressGuard {
	return addressGuard{
		reserved:  reservedRanges(),
		global:    netip.MustParsePrefix("2000::/3"),
		nat64:     netip.MustParsePrefix("64:ff9b::/96"),
		sixToFour: netip.MustParsePrefix("2002::/16"),
	}
}

// objection says what an address is that no public host has; it is empty for
// one that a public host can have.
func (g *addressGuard) objection(a netip.Addr) string {
	a = a.Unmap().WithZone("")
	switch {
	case !a.IsValid():
		return "not an address"
	case a.IsUnspecified():
		return "unspecified"
	case a.IsLoopback():
		return "loopback"
	case a.IsLinkLocalUnicast():
		return "link-local"
	case a.IsMulticast():
		return "multicast"
	case a.IsPrivate():
		return "private"
	}
	for _, r := range g.reserved {
		if r.prefix.Contains(a) {
			return r.name
		}
	}
	if a.Is4() {
		return ""
	}
	bytes := a.As16()
	switch {
	case g.nat64.Contains(a):
		return g.objection(netip.AddrFrom4([4]byte(bytes[12:16])))
	case g.sixToFour.Contains(a):
		return g.objection(netip.AddrFrom4([4]byte(bytes[2:6])))
	case !g.global.Contains(a):
		return "not global"
	}
	return ""
}

// neverNamed reports whether an address is one that not even a listed name may
// lead to, only the address itself if it is listed: cloud machines have their
// credentials served there.
func neverNamed(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsUnspecified() || a.IsLinkLocalUnicast() || a.IsMulticast() || !a.IsValid()
}

// hostPort is an entry of the list of hosts; without a port it stands for all.
type hostPort struct{ host, port string }

// hostList is where documents may be fetched.
type hostList map[hostPort]bool

func newHostList(entries []string) (hostList, error) {
	list := hostList{}
	for _, entry := range entries {
		e := hostPort{host: entry}
		if host, port, err := net.SplitHostPort(entry); err == nil {
			e = hostPort{host, port}
		}
		e.host = canonicalHost(strings.TrimSuffix(strings.TrimPrefix(e.host, "["), "]"))
		if _, err := strconv.ParseUint(orElse(e.port, "1"), 10, 16); err != nil || e.host == "" || strings.ContainsAny(e.host, "/@?#*[] ") {
			return nil, fmt.Errorf("api.document_hosts: %q is neither a host nor a host:port", entry)
		}
		list[e] = true
	}
	return list, nil
}

func (l hostList) has(host, port string) bool {
	host = canonicalHost(host)
	return l[hostPort{host: host}] || l[hostPort{host, port}]
}

// canonicalHost is the one form of a name or an address.
func canonicalHost(host string) string {
	if a, err := netip.ParseAddr(host); err == nil {
		return a.Unmap().String()
	}
	return strings.ToLower(strings.TrimSuffix(host, "."))
}

// oddNumber reports whether a host is a number that some resolvers take for an
// address: 2130706433, 0x7f.1, 127.1.
func oddNumber(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return false
	}
	host = strings.TrimSuffix(host, ".")
	last := strings.ToLower(host[strings.LastIndexByte(host, '.')+1:])
	digits := "0123456789"
	if hex, ok := strings.CutPrefix(last, "0x"); ok {
		last, digits = hex, "0123456789abcdef"
	}
	return strings.Trim(last, digits) == ""
}
