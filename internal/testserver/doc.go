// Package testserver gives tests the real servers the product talks to: Redis,
// PostgreSQL, MariaDB, an S3 gateway, an Azure Blob emulator, and DuckDB, Polars
// and hyparquet as independent readers of what was written. Google Cloud
// Storage, the fault proxy and a browser stand in subpackages, so that only
// their users link them.
//
// A server runs on a free loopback port with a scratch folder of its own, in
// its own process group, and ends with the test or the test binary; on Linux
// the kernel ends it even when the binary is killed. No goroutine is left
// behind, so goleak needs no exceptions. Redis is started for every test that
// asks, since tests stop and pause it. The others are shared by the tests of
// one binary, each of which gets a fresh database, bucket or container; a
// package that uses them must hand its tests over to [Main]:
//
//	func TestMain(m *testing.M) { testserver.Main(m) }
//
// TEST_REDIS_URL, TEST_POSTGRES_URL and TEST_MYSQL_DSN name running servers to
// use instead. Where a server is not installed the test is skipped with what to
// install, but fails when CI=true: a hole in the check is not a success.
package testserver
