package main

import (
	"github.com/adteco/docarchive/cache"
	"github.com/adteco/docarchive/docextract"
	"github.com/adteco/docarchive/internal/config"
)

// account is one API key at work: all that is sent with it keeps to one limiter.
type account struct {
	config.APIKey
	client  *docextract.Client
	budget  *docextract.Budget // that of this process; what headers say while no Redis shares it
	limiter docextract.Limiter
}

// openAccount returns the account of a key with its pace. Where home is a Redis,
// all processes that use it with the same key share one budget; otherwise this
// one keeps to its part of it, one of so many workers.
func (a *app) openAccount(key config.APIKey, home cache.Home, workers int) (*account, error) {
	acc := &account{APIKey: key, budget: docextract.NewBudgetShare(key.RequestsPerMinute, workers, docextract.Clock{})}
	acc.limiter = acc.budget
	if redis, ok := home.(*cache.Redis); ok {
		acc.limiter = redis.NewBudget(cache.BudgetOptions{Key: key.Key, PerMinute: key.RequestsPerMinute, Local: acc.budget})
	}
	o := docextract.Options{
		BaseURL: key.BaseURL, Key: key.Key, UserAgent: "docarchive/" + version, Limiter: acc.limiter,
		OnRetry: newRetryLog(a.log).retrying,
	}
	if a.tune != nil {
		a.tune(&o)
	}
	client, err := docextract.New(o)
	if err != nil {
		return nil, &configError{err}
	}
	acc.client = client
	return acc, nil
}

// openSubmitter returns what can spend credits, at the pace of the client.
func (acc *account) openSubmitter() (*docextract.Submitter, error) {
	submitter, err := docextract.NewSubmitter(docextract.SubmitterOptions{
		BaseURL: acc.BaseURL, Key: acc.Key, UserAgent: "docarchive/" + version, Limiter: acc.limiter,
	})
	if err != nil {
		return nil, &configError{err}
	}
	return submitter, nil
}

// connect opens the accounts that the configuration names. The workplace's own
// client is that of the default key.
func (w *workplace) connect(a *app, workers int) error {
	w.accounts = map[string]*account{}
	keys := append([]config.APIKey{w.cfg.Account(&config.Pipeline{})}, w.cfg.API.Keys...)
	for _, key := range keys {
		acc, err := a.openAccount(key, w.home, workers)
		if err != nil {
			return err
		}
		w.accounts[key.Name] = acc
	}
	w.client, w.budget = w.accounts[""].client, w.accounts[""].budget
	return nil
}

// account is the one that a pipeline's jobs are asked for with.
func (w *workplace) account(p config.Pipeline) *account { return w.accounts[p.Key] }

// accountOf is [workplace.account] by the pipeline's name.
func (w *workplace) accountOf(pipeline string) *account {
	for _, p := range w.cfg.Pipelines {
		if p.Name == pipeline {
			return w.account(p)
		}
	}
	return w.accounts[""]
}

// budgetOf is the budget that a pipeline's requests come from; nil if nothing is
// asked of the API.
func (w *workplace) budgetOf(pipeline string) *docextract.Budget {
	if w.accounts == nil {
		return w.budget
	}
	return w.accountOf(pipeline).budget
}

// requests is how many requests all accounts have made.
func (w *workplace) requests() int64 {
	var n int64
	for _, acc := range w.accounts {
		n += acc.client.Requests()
	}
	return n
}

// group is the pipelines that share one account.
type group struct {
	*account
	pipelines []config.Pipeline
}

// byAccount groups pipelines by the account that they use, in the order of the
// first of each.
func (w *workplace) byAccount(pipelines []config.Pipeline) []group {
	var groups []group
	at := map[string]int{}
	for _, p := range pipelines {
		i, has := at[p.Key]
		if !has {
			i = len(groups)
			at[p.Key], groups = i, append(groups, group{account: w.account(p)})
		}
		groups[i].pipelines = append(groups[i].pipelines, p)
	}
	return groups
}
