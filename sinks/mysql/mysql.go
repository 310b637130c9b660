// Package mysql loads commit records into MySQL and MariaDB.
//
// Sessions are strict, whatever the server's default is: a value that does not
// fit is refused, not cut. Tables are InnoDB with utf8mb4. Texts compare byte by
// byte. Lists are JSON text, and so are decimals with more than 30 digits after
// the point text, which MySQL's own type does not hold.
package mysql

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/adteco/docarchive/pipeline"
	"github.com/adteco/docarchive/sinks/database"
)

// connectTimeout bounds a connection attempt, unless the URL does.
const connectTimeout = 15 * time.Second

// Open returns the warehouse in the database that the URL names, such as
// mysql://USER:PASSWORD@HOST:3306/DATABASE?tls=true. tls=true verifies the
// server's certificate; without tls the connection is not encrypted.
func Open(_ context.Context, location string, o database.Options) (pipeline.Warehouse, error) {
	config, err := parse(location)
	if err != nil {
		return nil, fmt.Errorf("open mysql: %w", err)
	}
	return database.New(&engine{config}, o)
}

// known returns the parameters that a URL may have, all of the driver's.
func known() []string {
	return []string{"tls", "timeout", "readTimeout", "writeTimeout", "allowNativePasswords", "serverPubKey", "compress"}
}

func parse(location string) (*mysql.Config, error) {
	u, err := database.ParseURL(location)
	if err != nil {
		return nil, err
	}
	name := strings.Trim(u.Path, "/")
	if u.Scheme != "mysql" && u.Scheme != "mariadb" || u.Host == "" || name == "" {
		return nil, errors.New("want a URL mysql://USER:PASSWORD@HOST:3306/DATABASE")
	}
	options, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return nil, errors.New("the URL's parameters cannot be read")
	}
	for key := range options {
		if !slices.Contains(known(), key) {
			return nil, fmt.Errorf("unknown parameter %q in the URL: known are %s", key, strings.Join(known(), ", "))
		}
	}
	port := u.Port()
	if port == "" {
		port = "3306"
	}
	config, err := mysql.ParseDSN("tcp(" + net.JoinHostPort(u.Hostname(), port) + ")/?" + options.Encode())
	if err != nil {
		return nil, err
	}
	config.User = u.User.Username()
	config.Passwd, _ = u.User.Password()
	config.DBName = name
	return config, force(config)
}

// force sets what does not depend on the URL.
func force(config *mysql.Config) error {
	if config.Timeout == 0 {
		config.Timeout = connectTimeout
	}
	config.Logger = &mysql.NopLogger{} // errors are returned, too
	config.MaxAllowedPacket = 0        // the server's
	config.Params = map[string]string{
		"sql_mode":          "'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'",
		"time_zone":         "'+00:00'",
		"lock_wait_timeout": "60", // seconds that a change of a table waits for its readers, and everybody else behind it
	}
	return config.Apply(mysql.Charset("utf8mb4", "utf8mb4_bin"))
}

// engine is one database of a server.
type engine struct{ config *mysql.Config }

// Dialect implements [database.Engine].
func (*engine) Dialect() *database.Dialect { return dialect() }

// Connect implements [database.Engine].
func (e *engine) Connect(ctx context.Context) (database.Session, error) {
	connector, err := mysql.NewConnector(e.config)
	if err != nil {
		return nil, database.Redact(err, e.config.Passwd)
	}
	s, err := database.ConnectSQL(ctx, sql.OpenDB(connector))
	if err != nil {
		return nil, err
	}
	return &session{SQL: s, engine: e, prepared: map[*database.Table]*sql.Stmt{}}, nil
}

// Classify implements [database.Engine].
func (*engine) Classify(err error) database.Kind {
	var answer *mysql.MySQLError
	if errors.As(err, &answer) {
		return classifyNumber(answer)
	}
	var (
		certificate *tls.CertificateVerificationError
		host        x509.HostnameError
		authority   x509.UnknownAuthorityError
		network     net.Error
	)
	switch {
	case errors.As(err, &certificate), errors.As(err, &host), errors.As(err, &authority):
		return database.Broken
	case errors.Is(err, mysql.ErrPktTooLarge):
		return database.BadRow
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, mysql.ErrInvalidConn), errors.Is(err, sql.ErrConnDone),
		errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.As(err, &network):
		return database.Away
	}
	return database.Broken
}

// classifyNumber tells the kind of an error number. Numbers from 1900 to 1999
// and above 4000 are MariaDB's.
func classifyNumber(e *mysql.MySQLError) database.Kind {
	switch e.Number {
	case 1062, 1586: // duplicate key
		return database.Exists
	case 1213, 1205, 1020, // deadlock, lock wait timeout, record has changed
		1412, 1615, 1050, // table was changed or made meanwhile
		1317, 3024, 1969: // query interrupted, time limit of the server's
		return database.Again
	case 1040, 1203, 1053, 1927, // too many connections, shutdown, connection killed
		1290, 1792, 1836, // read-only, as after a failover
		1021, 1114, 1206: // disk, table or lock table full
		return database.Away
	case 1054, 1146, // unknown column, no such table
		1048, 1364: // null or no default: in a column of somebody else, ours hold nulls
		return database.Drifted
	case 1117, 1118, // too many columns, row size too large
		1060, 1059, 1166: // names it cannot tell apart, too long or wrong
		return database.Limited
	case 1105: // unknown error
		if strings.Contains(e.Message, "max_allowed_packet") {
			return database.BadRow
		}
		return database.Broken
	case 1406, 1264, 1265, 1292, 1366, 1153, 4025, 3819, 1644: // data of all kinds, check constraints, triggers
		return database.BadRow
	}
	switch string(e.SQLState[:2]) {
	case "22", "23": // data exception, integrity constraint violation
		return database.BadRow
	case "08":
		return database.Away
	}
	return database.Broken
}
