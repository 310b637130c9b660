package workload

// kind is an extractor: what its jobs hold.
type kind struct {
	id, name   string
	share      int // of a hundred jobs
	fields     []declared
	data       func(*press)
	confidence []string
}

// declared is a field definition of an extractor.
type declared struct{ name, kind string }

var (
	mimeTypes  = []string{"application/pdf", "application/pdf", "application/pdf", "image/png", "image/jpeg"}
	errorCodes = []string{"document_unreadable", "timeout", "extraction_failed"}
	companies  = []string{
		"Northwind Traders Ltd", "Müller & Söhne GmbH", "Acme Corporation", "Contoso Logistics B.V.", "Globex Industries",
		"Initech Services LLC", "Umbrella Paper Co.", "Société Générale d'Emballage", "Stark Components", "Wayne Office Supply",
	}
	people = []string{
		"Ana Souza", "Bruno Keller", "Chloé Martin", "Daniel Okafor", "Emily Chen", "Fatima Hassan", "Grzegorz Nowak", "Hana Sato",
	}
	cities     = []string{"Berlin", "São Paulo", "Zürich", "Lyon", "Rotterdam", "Kraków", "Austin", "Ōsaka", "Nairobi", "Leeds"}
	streets    = []string{"Hauptstraße 12", "Rua das Flores 240", "High Street 7", "Rue de la Paix 31", "Industrieweg 5"}
	countries  = []string{"DE", "BR", "CH", "FR", "NL", "PL", "US", "JP", "KE", "GB"}
	currencies = []string{"EUR", "EUR", "USD", "GBP", "CHF"}
	goods      = []string{
		"Copy paper A4, 80 g, carton of 5", "Consulting hours, senior", "Toner cartridge, black", "Freight and handling",
		"Maintenance contract, yearly", "Steel bracket 40 mm, zinc plated", "Cloud storage, 1 TB", "Office chair, ergonomic",
	}
	methods     = []string{"card", "cash", "transfer", "voucher"}
	departments = []string{"accounting", "procurement", "legal", "logistics"}
	sources     = []string{"email", "upload", "scanner", "api"}
	priorities  = []string{"low", "normal", "normal", "high"}
	carriers    = []string{"DHL", "UPS", "FedEx", "Correios", "DB Schenker"}
)

var kinds = []kind{
	{
		id: "ext_invoice", name: "Invoices", share: 50, data: invoice,
		fields: []declared{
			{"invoice_number", "text"},
			{"invoice_date", "date"},
			{"due_date", "date"},
			{"currency", "text"},
			{"subtotal", "currency"},
			{"tax_amount", "currency"},
			{"total_amount", "currency"},
			{"purchase_order", "text"},
			{"vendor", "object"},
			{"payment_terms", "number"},
			{"line_items", "array"},
		},
		confidence: []string{"invoice_number", "invoice_date", "vendor", "line_items", "total_amount", "tax_amount", "currency"},
	},
	{
		id: "ext_receipt", name: "Receipts", share: 20, data: receipt,
		fields: []declared{
			{"merchant_name", "text"},
			{"receipt_date", "date"},
			{"currency", "text"},
			{"total_amount", "currency"},
			{"tax_amount", "currency"},
			{"tip_amount", "currency"},
			{"payment_method", "text"},
			{"card_last_four", "number"},
			{"store", "object"},
			{"line_items", "array"},
		},
		confidence: []string{"merchant_name", "receipt_date", "total_amount", "tax_amount", "tip_amount", "payment_method", "line_items", "currency"},
	},
	{
		id: "ext_contract", name: "Contracts", share: 10, data: contract,
		fields: []declared{
			{"title", "text"},
			{"effective_date", "date"},
			{"expiry_date", "date"},
			{"currency", "text"},
			{"contract_value", "currency"},
			{"party_a", "object"},
			{"party_b", "object"},
			{"auto_renewal", "boolean"},
			{"notice_days", "number"},
			{"clauses", "array"},
		},
		confidence: []string{"title", "effective_date", "party_a", "party_b", "contract_value", "currency"},
	},
	{
		id: "ext_statement", name: "Bank statements", share: 10, data: statement,
		fields: []declared{
			{"bank_name", "text"},
			{"iban", "text"},
			{"statement_date", "date"},
			{"currency", "text"},
			{"opening_balance", "currency"},
			{"closing_balance", "currency"},
			{"holder", "object"},
			{"transactions", "array"},
		},
		confidence: []string{"bank_name", "iban", "statement_date", "closing_balance", "currency"},
	},
	{
		id: "ext_order", name: "Delivery orders", share: 10, data: order,
		fields: []declared{
			{"order_number", "text"},
			{"carrier", "text"},
			{"weight_kg", "number"},
			{"packages", "number"},
			{"currency", "text"},
			{"total_amount", "currency"},
			{"ship_to", "object"},
			{"delivered", "boolean"},
			{"line_items", "array"},
		},
		confidence: []string{"order_number", "line_items", "total_amount", "currency"},
	},
}

func invoice(w *press) {
	w.label("invoice_number", "INV-2026-", 6)
	w.date("invoice_date")
	w.date("due_date")
	w.text("currency", w.pick(currencies))
	w.money("subtotal", 40_000)
	w.money("tax_amount", 8_000)
	w.money("total_amount", 48_000)
	if w.often(60) {
		w.label("purchase_order", "PO-", 7)
	}
	w.object("vendor", func() {
		w.text("name", w.pick(companies))
		w.label("tax_id", "DE", 9)
		if w.often(85) {
			w.label("email", "billing@vendor-", 3)
		}
		w.object("address", func() {
			w.text("street", w.pick(streets))
			w.text("city", w.pick(cities))
			w.label("postal_code", "", 5)
			w.text("country", w.pick(countries))
		})
	})
	if w.often(70) {
		w.int("payment_terms", 14+w.dice.below(46))
	} else {
		w.label("payment_terms", "net ", 2)
	}
	lineItems(w, 2)
}

func lineItems(w *press, least uint64) {
	w.list("line_items", int(least+w.dice.below(3)), func() {
		w.text("description", w.pick(goods))
		w.int("quantity", 1+w.dice.below(40))
		w.money("unit_price", 900)
		w.money("amount", 9_000)
	})
}

func receipt(w *press) {
	w.text("merchant_name", w.pick(companies))
	w.date("receipt_date")
	w.text("currency", w.pick(currencies))
	w.money("total_amount", 400)
	w.money("tax_amount", 70)
	w.money("tip_amount", 40)
	w.text("payment_method", w.pick(methods))
	if w.often(80) {
		w.int("card_last_four", 1000+w.dice.below(9000))
	} else {
		w.label("card_last_four", "**", 4)
	}
	w.object("store", func() {
		w.int("number", 1+w.dice.below(900))
		w.text("city", w.pick(cities))
	})
	lineItems(w, 3)
}

func contract(w *press) {
	w.text("title", "Framework agreement on "+w.pick(goods))
	w.date("effective_date")
	w.date("expiry_date")
	w.object("party_a", func() { w.text("name", w.pick(companies)) })
	w.object("party_b", func() { w.text("name", w.pick(companies)) })
	w.text("currency", w.pick(currencies))
	w.money("contract_value", 900_000)
	w.bool("auto_renewal")
	w.int("notice_days", 30*(1+w.dice.below(6)))
	w.list("clauses", 4, func() {
		w.text("heading", w.pick(goods))
		w.text("summary", "Either party may end this agreement in writing.")
	})
}

func statement(w *press) {
	w.text("bank_name", w.pick(companies))
	w.label("iban", "DE", 20)
	w.date("statement_date")
	w.text("currency", w.pick(currencies))
	w.money("opening_balance", 90_000)
	w.money("closing_balance", 90_000)
	w.object("holder", func() {
		w.text("name", w.pick(people))
		w.object("address", func() { w.text("city", w.pick(cities)) })
	})
	w.list("transactions", 6, func() {
		w.date("date")
		w.money("amount", 5_000)
		w.text("counterparty", w.pick(companies))
	})
}

func order(w *press) {
	w.label("order_number", "ORD-", 8)
	w.text("carrier", w.pick(carriers))
	w.money("weight_kg", 400)
	w.int("packages", 1+w.dice.below(12))
	w.text("currency", w.pick(currencies))
	w.money("total_amount", 9_000)
	w.object("ship_to", func() {
		w.text("name", w.pick(people))
		w.text("country", w.pick(countries))
	})
	w.bool("delivered")
	lineItems(w, 4)
}

func metadata(w *press) {
	w.label("customer_id", "cust_", 5)
	w.text("customer_name", w.pick(companies))
	w.text("source", w.pick(sources))
	w.text("department", w.pick(departments))
	w.text("priority", w.pick(priorities))
	w.label("batch_id", "batch_202611_", 3)
	if w.often(70) {
		w.label("processed_by", "user_", 3)
	}
}
