package docextracttest

func contractFields() []fieldDefinition {
	return []fieldDefinition{
		{"title", "text", true, "What the contract is about"},
		{"parties", "array", true, "Who signs"},
		{"effective_date", "date", true, "First day"},
		{"expiry_date", "date", false, "Last day"},
		{"value", "currency", false, "Worth of the contract"},
		{"currency", "text", false, "ISO 4217 code"},
		{"auto_renew", "boolean", false, "Whether it renews itself"},
		{"notice_period_days", "number", false, "Days of notice"},
		{"governing_law", "text", false, "Law that applies"},
		{"clauses", "array", false, "Clauses found"},
		{"signed", "object", false, "Where and when it was signed"},
		{"notes", "text", false, "Remarks"},
	}
}

func writeContract(w *writer, v *words, day int) {
	w.text("title", pick(&w.d, v.goods))
	w.array("parties")
	for _, role := range []string{"supplier", "client", "guarantor"}[:2+w.d.below(2)] {
		w.element()
		w.text("role", role)
		w.text("name", pick(&w.d, v.companies))
		w.address("address")
		w.text("signatory", pick(&w.d, v.people.families))
		w.close('}')
	}
	w.close(']')
	w.date("effective_date", day+w.d.below(60))
	if w.maybe("expiry_date") {
		w.date("expiry_date", day+365+w.d.below(1000))
	}
	if w.maybe("value") {
		w.amount("value", w.d.below(500_000_000))
	}
	if w.maybe("currency") {
		w.text("currency", pick(&w.d, v.currencies))
	}
	if w.maybe("auto_renew") {
		w.boolean("auto_renew", w.d.chance(600))
	}
	if w.maybe("notice_period_days") {
		w.number("notice_period_days", 30*(1+w.d.below(6)))
	}
	if w.maybe("governing_law") {
		w.text("governing_law", pick(&w.d, v.laws))
	}
	w.list("clauses", v.clauses, 5)
	if w.maybe("signed") {
		w.object("signed")
		w.text("city", places[w.d.below(len(places))].city)
		w.date("on", day)
		w.boolean("by_hand", w.d.chance(300))
		w.close('}')
	}
	w.note(v)
}

func formFields() []fieldDefinition {
	return []fieldDefinition{
		{"form_type", "text", true, "Which form"},
		{"applicant", "object", true, "Who filled it in"},
		{"email", "email", false, "Address for the answer"},
		{"phone", "phone", false, "Number for questions"},
		{"answers", "object", false, "Answers by question"},
		{"checked", "array", false, "Boxes that are ticked"},
		{"scores", "array", false, "Numbers entered"},
		{"submitted_on", "date", true, "Date on the form"},
		{"pages", "number", true, "Pages filled in"},
		{"fee", "currency", false, "Fee"},
		{"signature_present", "boolean", true, "Whether it is signed"},
		{"notes", "text", false, "Remarks"},
	}
}

func writeForm(w *writer, v *words, day int) {
	w.text("form_type", [...]string{"onboarding", "leave request", "expense claim", "Antrag §12"}[w.d.below(4)])
	w.object("applicant")
	w.text("first_name", pick(&w.d, v.people.given))
	w.text("last_name", pick(&w.d, v.people.families))
	w.date("birth_date", 3_000+w.d.below(10_000))
	w.address("address")
	w.close('}')
	if w.maybe("email") {
		w.email("email")
	}
	if w.maybe("phone") {
		w.phone("phone")
	}
	if w.maybe("answers") {
		w.object("answers")
		for _, q := range v.questions {
			switch w.d.below(4) {
			case 0:
				w.number(q, w.d.below(30))
			case 1:
				w.boolean(q, w.d.chance(500))
			case 2:
				w.text(q, pick(&w.d, v.notes))
			}
		}
		w.close('}')
	}
	w.list("checked", v.tags, 6)
	if w.maybe("scores") {
		w.array("scores")
		for range w.d.below(6) {
			w.comma()
			w.padded(w.d.below(101), 1)
		}
		w.close(']')
	}
	w.date("submitted_on", day-w.d.below(7))
	w.number("pages", 1+w.d.below(9))
	if w.maybe("fee") {
		w.amount("fee", w.d.below(20_000))
	}
	w.boolean("signature_present", w.d.chance(900))
	w.note(v)
}

func identityFields() []fieldDefinition {
	return []fieldDefinition{
		{"document_number", "text", true, "Number of the document"},
		{"document_type", "text", true, "Passport, identity card or residence permit"},
		{"surname", "text", true, "Surname"},
		{"given_names", "text", true, "Given names"},
		{"nationality", "text", true, "ISO 3166 code"},
		{"birth_date", "date", true, "Date of birth"},
		{"sex", "text", false, "As printed"},
		{"issue_date", "date", false, "Date of issue"},
		{"expiry_date", "date", true, "Date of expiry"},
		{"height_cm", "number", false, "Height"},
		{"personal_number", "number", false, "National number"},
		{"address", "object", false, "Address"},
		{"mrz", "text", false, "Machine readable zone"},
		{"photo_present", "boolean", true, "Whether there is a photograph"},
		{"notes", "text", false, "Remarks"},
	}
}

func writeIdentity(w *writer, v *words, day int) {
	number := w.d.below(100_000_000)
	w.code("document_number", "C", number, 8)
	w.text("document_type", [...]string{"passport", "identity_card", "residence_permit"}[w.d.below(3)])
	w.text("surname", pick(&w.d, v.people.families))
	w.text("given_names", pick(&w.d, v.people.given))
	nation := pick(&w.d, v.countries)
	w.text("nationality", nation)
	w.date("birth_date", 1_000+w.d.below(12_000))
	if w.maybe("sex") {
		w.text("sex", [...]string{"F", "M", "X"}[w.d.below(3)])
	}
	if w.maybe("issue_date") {
		w.date("issue_date", day-w.d.below(3_000))
	}
	w.date("expiry_date", day+w.d.below(3_000))
	if w.maybe("height_cm") {
		w.number("height_cm", 150+w.d.below(50))
	}
	if w.maybe("personal_number") {
		w.number("personal_number", w.reference())
	}
	if w.maybe("address") {
		w.address("address")
	}
	if w.maybe("mrz") {
		w.key("mrz")
		w.b = append(w.b, `"P<`...)
		w.b = append(w.b, nation...)
		w.b = append(w.b, `SPECIMEN<<DOC<<<<<<<<<<<<<<<<<<<<<<<\nC`...)
		w.padded(number, 8)
		w.b = append(w.b, `<0000000000000<<<<<<<<<<<<<<<0"`...)
	}
	w.boolean("photo_present", w.d.chance(980))
	w.note(v)
}
