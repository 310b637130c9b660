// Package deploy is where docarchive is made ready to run elsewhere: container
// images, the Helm chart, plain Kubernetes manifests, a dashboard and alert
// rules. It has no code of its own but tests, and is a module of its own, so
// that what the tests need does not weigh on the product.
package deploy
