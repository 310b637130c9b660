package main

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
)

func (a *app) creditsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "credits",
		Short: "Show the credits that the organisation has left",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			w, err := a.reach(cmd.Context(), false)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, w.close()) }()
			credits, err := w.client.Credits(cmd.Context())
			if err != nil {
				return err
			}
			out := a.hide.writer(cmd.OutOrStdout())
			if a.json() {
				return printRaw(out, credits.Raw)
			}
			t := newTable("balance", "purchased", "used", "currency")
			right(t, 1, 2, 3)
			t.AppendRow([]any{
				amount(credits.Balance), amount(credits.TotalPurchased), amount(credits.TotalUsed), printable(credits.Currency),
			})
			_, err = fmt.Fprintln(out, t.Render())
			return err
		},
	}
}
