package docextracttest

func invoiceFields() []fieldDefinition {
	return []fieldDefinition{
		{"invoice_number", "text", true, "Number of the invoice"},
		{"external_reference", "number", false, "Number in the supplier's own system"},
		{"vendor", "object", true, "Who sends the invoice"},
		{"customer_name", "text", false, "Who is to pay"},
		{"contact_email", "email", false, "Whom to ask"},
		{"contact_phone", "phone", false, "Whom to ring"},
		{"currency", "text", true, "ISO 4217 code"},
		{"line_items", "array", true, "What is invoiced"},
		{"subtotal", "currency", true, "Sum before tax"},
		{"tax_amount", "currency", false, "Tax"},
		{"total_amount", "currency", true, "Sum to pay"},
		{"invoice_date", "date", true, "Date of the invoice"},
		{"due_date", "date", false, "Date by which to pay"},
		{"paid", "boolean", false, "Whether it is marked as paid"},
		{"tags", "array", false, "Words on the invoice"},
		{"notes", "text", false, "Remarks"},
	}
}

func writeInvoice(w *writer, v *words, day int) {
	w.code("invoice_number", "INV-", w.d.below(1_000_000), 7)
	if w.maybe("external_reference") {
		w.number("external_reference", w.reference())
	}
	w.object("vendor")
	w.text("name", pick(&w.d, v.companies))
	w.address("address")
	w.code("tax_id", "DE", w.d.below(1_000_000_000), 9)
	w.close('}')
	if w.maybe("customer_name") {
		w.text("customer_name", pick(&w.d, v.companies))
	}
	if w.maybe("contact_email") {
		w.email("contact_email")
	}
	if w.maybe("contact_phone") {
		w.phone("contact_phone")
	}
	w.text("currency", pick(&w.d, v.currencies))
	w.array("line_items")
	sum := 0
	for range 1 + w.d.below(4) {
		quantity, price := 1+w.d.below(40), 50+w.d.below(90_000)
		sum += quantity * price
		w.element()
		w.text("description", pick(&w.d, v.goods))
		w.number("quantity", quantity)
		w.text("unit", pick(&w.d, v.units))
		w.amount("unit_price", price)
		w.amount("amount", quantity*price)
		w.close('}')
	}
	w.close(']')
	tax := sum * 19 / 100
	w.amount("subtotal", sum)
	if w.maybe("tax_amount") {
		w.amount("tax_amount", tax)
	}
	w.amount("total_amount", sum+tax)
	w.date("invoice_date", day-w.d.below(30))
	if w.maybe("due_date") {
		w.date("due_date", day+14+w.d.below(30))
	}
	if w.maybe("paid") {
		w.boolean("paid", w.d.chance(350))
	}
	w.list("tags", v.tags, 4)
	w.note(v)
}

func receiptFields() []fieldDefinition {
	return []fieldDefinition{
		{"merchant", "object", true, "Where it was bought"},
		{"purchased_on", "date", true, "Date of purchase"},
		{"items", "array", true, "What was bought"},
		{"total", "currency", true, "Sum paid"},
		{"tax", "currency", false, "Tax contained"},
		{"tip", "currency", false, "Tip"},
		{"payment_method", "text", false, "How it was paid"},
		{"card_last4", "text", false, "Last digits of the card"},
		{"cashier", "text", false, "Who took the money"},
		{"register", "number", false, "Number of the register"},
		{"loyalty", "object", false, "Loyalty programme"},
		{"refund", "boolean", false, "Whether it is a refund"},
		{"notes", "text", false, "Remarks"},
	}
}

func writeReceipt(w *writer, v *words, day int) {
	w.object("merchant")
	w.text("name", pick(&w.d, v.companies))
	w.address("address")
	w.phone("phone")
	w.code("vat_id", "VAT", w.d.below(100_000_000), 8)
	w.close('}')
	w.date("purchased_on", day-w.d.below(4))
	w.array("items")
	sum := 0
	for range 1 + w.d.below(7) {
		price := 20 + w.d.below(5_000)
		sum += price
		w.element()
		w.text("name", pick(&w.d, v.goods))
		w.number("quantity", 1+w.d.below(5))
		w.amount("price", price)
		w.close('}')
	}
	w.close(']')
	w.amount("total", sum)
	if w.maybe("tax") {
		w.amount("tax", sum*7/107)
	}
	if w.maybe("tip") {
		w.amount("tip", w.d.below(1_000))
	}
	if w.maybe("payment_method") {
		w.text("payment_method", [...]string{"cash", "card", "mobile"}[w.d.below(3)])
	}
	if w.maybe("card_last4") {
		w.code("card_last4", "", w.d.below(10_000), 4)
	}
	if w.maybe("cashier") {
		w.text("cashier", pick(&w.d, v.people.given))
	}
	if w.maybe("register") {
		w.number("register", 1+w.d.below(12))
	}
	if w.maybe("loyalty") {
		w.object("loyalty")
		w.number("card", w.reference())
		w.number("points", w.d.below(5_000))
		w.close('}')
	}
	if w.maybe("refund") {
		w.boolean("refund", w.d.chance(30))
	}
	w.note(v)
}
