package docextracttest

import (
	"net/http"
	"time"
)

// extractor is the API's form of a kind.
type extractor struct {
	ID           string            `json:"id"`
	OrgID        string            `json:"org_id"`
	Name         string            `json:"name"`
	DocumentType string            `json:"document_type"`
	IsActive     bool              `json:"is_active"`
	UsageCount   int               `json:"usage_count"`
	CreatedAt    time.Time         `json:"created_at"`
	UpdatedAt    time.Time         `json:"updated_at"`
	Fields       []fieldDefinition `json:"field_definitions"`
}

// extractors answers all extractors, or one.
func (x *exchange) extractors() answer {
	all := x.sim.extractors(x.set)
	if x.route == routeExtractors {
		return x.json(http.StatusOK, map[string]any{"extractors": all, "total": len(all)})
	}
	for _, e := range all {
		if e.ID == x.id {
			return x.json(http.StatusOK, e)
		}
	}
	return x.notFound("extractor")
}

func (s *Simulator) extractors(set *settings) []extractor {
	v := s.view(set)
	var used [kindCount]int
	s.store.mu.RLock()
	for i := range s.store.entries {
		if e := &s.store.entries[i]; e.kind != noKind && e.created <= v.now {
			used[e.kind]++
		}
	}
	s.store.mu.RUnlock()
	since := time.UnixMicro(v.start).UTC().Truncate(time.Second)
	all := make([]extractor, len(s.kinds))
	for i, k := range s.kinds {
		all[i] = extractor{
			ID: k.id, OrgID: orgID, Name: k.name, DocumentType: k.documentType, IsActive: true,
			UsageCount: used[i], CreatedAt: since.AddDate(-1, 0, 0), UpdatedAt: since.AddDate(0, -4, 0),
			Fields: k.fields,
		}
	}
	return all
}

// credits answers the balance.
func (x *exchange) credits() answer {
	used := int64(x.sim.CreditsUsed())
	return x.json(http.StatusOK, map[string]any{
		"org_id": orgID, "balance": x.set.money.credits - used,
		"total_purchased": x.set.money.credits, "total_used": used, "currency": "USD",
	})
}
