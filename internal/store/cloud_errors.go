package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"syscall"

	"cloud.google.com/go/storage"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"gocloud.dev/gcerrors"
	"google.golang.org/api/googleapi"
)

// classify gives a driver's error its kind. The service's own answer goes
// first, since gocloud's codes call some refusals and failures NotFound.
func (c *cloud) classify(err error) error {
	if err == nil {
		return nil
	}
	cause := err
	if wrapped, ok := err.(interface{ Unwrap() []error }); ok {
		cause = wrapped.Unwrap()[0] // without gocloud's own preface
	}
	if cause == nil {
		cause = err
	}
	return classified(kindOf(err), cause)
}

func kindOf(err error) error {
	if errors.Is(err, context.Canceled) {
		return nil
	}
	status, code := answer(err)
	switch {
	case slices.Contains([]string{"NoSuchBucket", "ContainerNotFound"}, code) || errors.Is(err, storage.ErrBucketNotExist):
		return ErrNoBucket
	case slices.Contains([]string{"BlobAlreadyExists", "ConditionNotMet", "TargetConditionNotMet", "PreconditionFailed"}, code):
		return ErrExists
	case code == "ConditionalRequestConflict" || code == "OperationAborted":
		return ErrTemporary
	case status != 0:
		return kindOfStatus(status)
	case away(err):
		return ErrTemporary
	}
	switch gcerrors.Code(err) {
	case gcerrors.NotFound:
		return ErrNotExist
	case gcerrors.FailedPrecondition, gcerrors.AlreadyExists:
		return ErrExists
	case gcerrors.PermissionDenied:
		return ErrDenied
	case gcerrors.ResourceExhausted, gcerrors.DeadlineExceeded, gcerrors.Internal:
		return ErrTemporary
	case gcerrors.Unimplemented:
		return ErrNoConditionalWrites
	default:
		return nil
	}
}

// answer is the HTTP status and the error code of a service's answer, if there
// was one.
func answer(err error) (status int, code string) {
	var s3Status interface{ HTTPStatusCode() int }
	if errors.As(err, &s3Status) {
		status = s3Status.HTTPStatusCode()
	}
	var s3Code interface{ ErrorCode() string }
	if errors.As(err, &s3Code) {
		code = s3Code.ErrorCode()
	}
	var google *googleapi.Error
	if errors.As(err, &google) {
		status = google.Code
	}
	var azure *azcore.ResponseError
	if errors.As(err, &azure) {
		status, code = azure.StatusCode, azure.ErrorCode
	}
	return status, code
}

func kindOfStatus(status int) error {
	switch status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return ErrDenied
	case http.StatusNotFound:
		return ErrNotExist
	case http.StatusPreconditionFailed:
		return ErrExists
	case http.StatusNotImplemented:
		return ErrNoConditionalWrites
	case http.StatusRequestTimeout, http.StatusConflict, http.StatusTooManyRequests:
		return ErrTemporary
	}
	if status >= http.StatusInternalServerError {
		return ErrTemporary
	}
	return nil
}

// away reports whether an error is the network's.
func away(err error) bool {
	var network net.Error // timeouts, refused connections, DNS
	return errors.As(err, &network) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// plain is a driver's text, but for answers that it would quote in full.
func plain(err error) string {
	var azure *azcore.ResponseError
	if errors.As(err, &azure) {
		return fmt.Sprintf("the service answers %d %s", azure.StatusCode, azure.ErrorCode)
	}
	var google *googleapi.Error
	if errors.As(err, &google) {
		return fmt.Sprintf("the service answers %d %s", google.Code, google.Message)
	}
	return err.Error()
}
