package iceberg

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"strings"

	ice "github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	_ "github.com/apache/iceberg-go/catalog/glue" // glue://
	_ "github.com/apache/iceberg-go/catalog/rest" // rest+https://
	"github.com/apache/iceberg-go/catalog/sql"
	_ "github.com/apache/iceberg-go/io/gocloud" // s3://, gs://, abfss://
	_ "github.com/jackc/pgx/v5/stdlib"          // driver pgx
	_ "modernc.org/sqlite"                      // driver sqlite
)

// catalogName tells catalogs apart that share a database.
const catalogName = "docarchive"

// OpenCatalog opens the catalog that a URL names. The warehouse is the URL under
// which the metadata of new tables is kept; more are the library's properties,
// such as s3.endpoint or rest's credential.
//
//   - sql+sqlite:///abs/catalog.db, sql+postgres://user@host/db
//   - rest+https://host/path, rest+http://host/path
//   - glue://, by the usual chain of AWS credentials
//
// The caller closes what is a [catalog.Closer].
func OpenCatalog(ctx context.Context, rawURL, warehouse string, more map[string]string) (catalog.Catalog, error) {
	scheme, rest, ok := strings.Cut(rawURL, "://")
	if !ok {
		return nil, errors.New("--catalog is no URL; write it like sql+sqlite:///srv/catalog.db, sql+postgres://…, rest+https://… or glue://")
	}
	properties := ice.Properties{}
	if warehouse != "" {
		properties["warehouse"] = warehouse
	}
	switch scheme {
	case "sql+sqlite":
		properties["type"], properties[sql.DriverKey], properties[sql.DialectKey] = "sql", "sqlite", string(sql.SQLite)
		properties["uri"] = "file:" + (&url.URL{Path: rest}).EscapedPath() + "?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)"
	case "sql+postgres", "sql+postgresql":
		properties["type"], properties[sql.DriverKey], properties[sql.DialectKey] = "sql", "pgx", string(sql.Postgres)
		properties["uri"] = "postgres://" + rest
	case "rest+http", "rest+https":
		properties["type"], properties["uri"] = "rest", strings.TrimPrefix(scheme, "rest+")+"://"+rest
	case "glue":
		properties["type"] = "glue"
	default:
		return nil, fmt.Errorf("unknown catalog %q; use sql+sqlite, sql+postgres, rest+https, rest+http or glue", scheme)
	}
	if strings.HasPrefix(scheme, "sql") && warehouse == "" {
		return nil, errors.New("an SQL catalog needs --warehouse, where the tables' metadata is kept")
	}
	maps.Copy(properties, more)
	c, err := catalog.Load(ctx, catalogName, properties)
	if err != nil {
		return nil, fmt.Errorf("open the catalog %s://: %w", scheme, err)
	}
	return c, nil
}
