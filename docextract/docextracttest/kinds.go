package docextracttest

// fieldDefinition is what an extractor promises of a field.
type fieldDefinition struct {
	Name        string `json:"name"`
	Type        string `json:"type"`
	Required    bool   `json:"required"`
	Description string `json:"description"`
}

// kind is a kind of document, and the extractor that reads it.
type kind struct {
	id, name, documentType string
	write                  func(w *writer, v *words, day int)
	fields                 []fieldDefinition
}

const (
	kindInvoice = iota
	kindReceipt
	kindContract
	kindForm
	kindIdentity
	kindCount
)

// kindShares is how jobs fall to the kinds.
var kindShares = [...]uint8{
	kindInvoice, kindInvoice, kindInvoice, kindInvoice, kindInvoice, kindInvoice, kindInvoice, kindInvoice,
	kindReceipt, kindReceipt, kindReceipt, kindReceipt, kindReceipt, kindContract, kindContract,
	kindForm, kindForm, kindForm, kindIdentity, kindIdentity,
}

var kindIDs = [kindCount]string{"ext_invoice", "ext_receipt", "ext_contract", "ext_form", "ext_identity"}

// kindOf is the index of an extractor, or noKind.
func kindOf(extractor string) uint8 {
	for i, id := range kindIDs {
		if id == extractor {
			return uint8(i)
		}
	}
	return noKind
}

func newKinds() [kindCount]kind {
	return [kindCount]kind{
		{kindIDs[kindInvoice], "Invoice Extractor", "invoice", writeInvoice, invoiceFields()},
		{kindIDs[kindReceipt], "Receipt Extractor", "receipt", writeReceipt, receiptFields()},
		{kindIDs[kindContract], "Contract Extractor", "contract", writeContract, contractFields()},
		{kindIDs[kindForm], "Form Extractor", "form", writeForm, formFields()},
		{kindIDs[kindIdentity], "Identity Document Extractor", "identity_document", writeIdentity, identityFields()},
	}
}
