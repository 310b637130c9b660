package docextracttest

// The texts that documents are made of: JSON strings without their quotes.

type place struct{ street, city, country string }

var places = [...]place{
	{"Hauptstraße", "München", "DE"},
	{"Königsallee", "Düsseldorf", "DE"},
	{"Rue de l’Église", "Orléans", "FR"},
	{"Market Street", "San Francisco", "US"},
	{"Ulica Świętokrzyska", "Łódź", "PL"},
	{"Calle Alcalá", "Málaga", "ES"},
	{"Via Garibaldi", "Forlì", "IT"},
	{"Nyhavn", "København", "DK"},
	{"千代田区丸の内", "東京", "JP"},
	{"O’Connell Street", "Dublin", "IE"},
	{"Óðinsgata", "Reykjavík", "IS"},
	{"Main St \\\"Unit B\\\"", "Austin", "US"},
	{"İstiklal Caddesi", "İstanbul", "TR"},
	{"Невский проспект", "Санкт-Петербург", "RU"},
}

type words struct {
	people                                names
	companies, goods, units, currencies   []string
	notes, tags, laws, clauses, countries []string
	questions                             []string
}

type names struct{ given, families []string }

// vocabulary returns the words; the lists are not to be changed.
func vocabulary() *words {
	return &words{
		companies: []string{
			"Acme Corp", "Müller & Söhne GmbH", "Société Générale de Papier", "株式会社サンプル", "O'Reilly Supplies, Inc.",
			"Ångström AB", "Łukasz Dostawy Sp. z o.o.", "Bäckerei \\\"Zum Löwen\\\"", "Global Trade; Ltd", "Delta\\/Sigma LLC",
			"Naïve Café SARL", "Çelik A.Ş.", "Nordic Paper Oy", "Blue Ocean 🌊 Logistics",
		},
		people: names{
			given:    []string{"Anna", "José", "Zoë", "Jürgen", "Łucja", "Siân", "Nguyễn", "太郎", "Olha", "François", "Björk", "D’Angelo"},
			families: []string{"García", "Müller", "O'Neill", "Świątek", "山田", "Nørgaard", "Szabó", "de la Cruz", "İnönü", "Smith-Jones"},
		},
		goods:      []string{"Paper A4, 80 g/m²", "Toner \\\"black\\\"", "Consulting", "Kabel 3×1,5 mm²", "Hosting (monthly)", "Möbel", "Schrauben M8", "Licence – 12 months", "コーヒー豆", "Freight\\tair", "Printer\\nA3"},
		units:      []string{"pcs", "h", "kg", "m²", "month"},
		currencies: []string{"EUR", "USD", "GBP", "PLN", "JPY", "CHF"},
		notes: []string{
			"Paid by bank transfer", "Bitte innerhalb von 14 Tagen zahlen.\\nVielen Dank!", "=SUM(A1:A3)", "+49 30 901820",
			"see attachment; \\u00a7 4 applies", "100 % recycled", "N/A", "-", "Ship \\\"as is\\\"", "päätös 12\\/2025", "\\ud83d\\ude00 thanks",
		},
		tags:      []string{"urgent", "recurring", "intercompany", "q4", "capex", "überfällig", "2025", "net-30"},
		laws:      []string{"Laws of England and Wales", "Recht der Bundesrepublik Deutschland", "State of Delaware", "Droit français"},
		clauses:   []string{"confidentiality", "indemnity", "force majeure", "non-compete", "limitation of liability", "data protection", "arbitration"},
		countries: []string{"DEU", "FRA", "POL", "USA", "JPN", "ISL", "TUR", "ESP"},
		questions: []string{"household_size", "employer", "allergies", "emergency_contact", "years_of_service", "remarks"},
	}
}
