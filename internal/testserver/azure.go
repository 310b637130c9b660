//go:build unix

package testserver

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The emulator's own account, the same everywhere; it opens nothing else.
const (
	azureAccount = "devstoreaccount1"
	azureKey     = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
	azureVersion = "2021-12-02"
)

// Azure gives a test a fresh container on an Azure Blob emulator and returns
// its gocloud URL (azblob://…). It sets the credentials in the test's
// environment, so the test must not be parallel.
func Azure(t testing.TB) string {
	t.Helper()
	node, err := exec.LookPath("node")
	if err != nil {
		missing(t, "node is not installed: run apt-get install nodejs npm, or make servers as root")
	}
	s := shared(t, azureProgram(node, tool(t, "node_modules", "azurite", "dist", "src", "blob", "main.js")))
	t.Setenv("AZURE_STORAGE_ACCOUNT", azureAccount)
	t.Setenv("AZURE_STORAGE_KEY", azureKey)
	t.Setenv("AZURE_STORAGE_SAS_TOKEN", "")
	t.Setenv("AZURE_STORAGE_CONNECTION_STRING", "")
	t.Setenv("AZURE_STORAGEBLOB_CONNECTIONSTRING", "")
	name := freshName()
	if err := createContainer(s.address(), name); err != nil {
		t.Fatalf("create container: %v", err)
	}
	query := url.Values{"protocol": {"http"}, "domain": {s.address()}, "localemu": {"true"}}
	return "azblob://" + name + "?" + query.Encode()
}

func azureProgram(node, script string) program {
	return program{
		name: "azurite",
		quit: syscall.SIGTERM,
		command: func(s *server) []string {
			return []string{
				node, script, "--blobHost", "127.0.0.1", "--blobPort", strconv.Itoa(s.port),
				"--inMemoryPersistence", "--skipApiVersionCheck", "--disableTelemetry", "--silent",
			}
		},
		ready: httpReady,
	}
}

// createContainer makes the one request a test cannot make through gocloud,
// signed with the account's key as the service prescribes.
func createContainer(address, name string) error {
	ctx, cancel := requests()
	defer cancel()
	path := "/" + azureAccount + "/" + name
	request, err := http.NewRequestWithContext(ctx, http.MethodPut, "http://"+address+path+"?restype=container", nil)
	if err != nil {
		return err
	}
	date := time.Now().UTC().Format(http.TimeFormat)
	request.Header.Set("X-Ms-Date", date)
	request.Header.Set("X-Ms-Version", azureVersion)
	// The verb, eleven standard headers that are all empty, the x-ms- headers,
	// then the resource; the emulator's path has the account in it once more.
	toSign := http.MethodPut + strings.Repeat("\n", 12) +
		"x-ms-date:" + date + "\nx-ms-version:" + azureVersion + "\n" +
		"/" + azureAccount + path + "\nrestype:container"
	key, err := base64.StdEncoding.DecodeString(azureKey)
	if err != nil {
		return err
	}
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(toSign))
	request.Header.Set("Authorization", "SharedKey "+azureAccount+":"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusCreated {
		body, _ := io.ReadAll(io.LimitReader(response.Body, logTail)) // only for the message
		return fmt.Errorf("status %d: %s", response.StatusCode, body)
	}
	return nil
}
