package docextract_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/adteco/docarchive/docextract"
)

// certificate is one for the address that test servers have, signed by itself.
func certificate(t *testing.T, address string, from, to time.Time) (tls.Certificate, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: from, NotAfter: to,
		IPAddresses: []net.IP{net.ParseIP(address)}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, parsed
}

// TestCertificatesThatDoNotHold: a certificate of a known authority must be in
// force and be the host's. Asking again does not change it.
func TestCertificatesThatDoNotHold(t *testing.T) {
	now := time.Now()
	for name, c := range map[string]struct {
		address  string
		from, to time.Time
		good     bool
	}{
		"good":         {"127.0.0.1", now.Add(-time.Hour), now.Add(time.Hour), true},
		"expired":      {"127.0.0.1", now.Add(-2 * time.Hour), now.Add(-time.Hour), false},
		"not yet":      {"127.0.0.1", now.Add(time.Hour), now.Add(2 * time.Hour), false},
		"other host's": {"192.0.2.7", now.Add(-time.Hour), now.Add(time.Hour), false},
	} {
		t.Run(name, func(t *testing.T) {
			served := 0
			server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				served++
				_, _ = w.Write(emptyPage)
			}))
			pair, parsed := certificate(t, c.address, c.from, c.to)
			server.TLS = &tls.Config{Certificates: []tls.Certificate{pair}}
			server.Config.ErrorLog = log.New(io.Discard, "", 0)
			server.StartTLS()
			defer server.Close()
			roots := x509.NewCertPool()
			roots.AddCert(parsed)
			transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
			client := newClient(t, docextract.Options{BaseURL: server.URL, Key: testKey, Clock: newClock().clock(), Transport: transport})
			defer client.CloseIdle()
			_, err := client.List(context.Background(), docextract.Query{})
			if c.good {
				if err != nil || served != 1 {
					t.Errorf("%d requests, %v", served, err)
				}
				return
			}
			if away := want[*docextract.UnavailableError](t, err); away.Attempts != 1 || served != 0 {
				t.Errorf("%d requests, %d attempts: %v", served, away.Attempts, err)
			}
		})
	}
}
