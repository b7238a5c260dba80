package gate

import "context"

// calm returns a context whose methods are the standard library's, to be used inside a call's
// section: the caller's own could do anything there, such as revoke, and wait for themselves.
func calm(ctx context.Context) (context.Context, context.CancelFunc) {
	if ctx == nil || ctx.Done() == nil {
		return nil, func() {}
	}
	return context.WithCancel(ctx)
}
