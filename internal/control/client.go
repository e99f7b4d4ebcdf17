package control

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
)

// Client asks the bridge that runs on a store. Make it with [Dial].
type Client struct {
	http  *http.Client
	path  string
	hello Hello
}

var _ Operations = (*Client)(nil)

// Dial finds the bridge that holds the store at storePath. Errors: [ErrNobody] if none listens; KindVersion if it is of
// another version; KindNoAnswer if it does not answer, or not to this user.
func Dial(ctx context.Context, storePath string) (*Client, error) {
	path, err := SocketPath(storePath)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			return nil, ErrNobody
		}
		return nil, err
	}
	switch err := checkDir(filepath.Dir(path)); {
	case errors.Is(err, fs.ErrNotExist):
		return nil, ErrNobody
	case err != nil:
		return nil, &Error{Kind: KindNoAnswer, Text: "look for a running bridge: " + err.Error(), Err: err}
	}
	c := &Client{path: path, http: &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			conn, err := dialSocket(ctx, path)
			if err != nil {
				return nil, err
			}
			return idleConn{conn}, nil
		},
	}}}
	ctx, cancel := context.WithTimeout(ctx, helloTimeout)
	defer cancel()
	c.hello, err = ask[Hello](ctx, c, http.MethodGet, routeHello, nil, nil)
	switch {
	case err != nil && isNobody(err):
		return nil, ErrNobody
	case errors.Is(err, fs.ErrPermission):
		return nil, &Error{Kind: KindNoAnswer, Text: fmt.Sprintf("the bridge at %s belongs to another user: run this command as that user", path), Err: err}
	case err != nil:
		return nil, err
	case c.hello.Protocol != protocol:
		return nil, &Error{Kind: KindVersion, Text: fmt.Sprintf(
			"the running bridge is of version %s, which this command does not understand: use the command of that version, or restart the bridge with this one", c.hello.Version)}
	}
	return c, nil
}

// Hello is what the bridge said of itself.
func (c *Client) Hello() Hello { return c.hello }

// Conversations implements [Operations].
func (c *Client) Conversations(ctx context.Context, r ConversationsRequest) (ConversationsPage, error) {
	return ask[ConversationsPage](ctx, c, http.MethodGet, routeConversations, query("bot", r.Bot, "app", r.App, "after", r.After, "limit", count(r.Limit)), nil)
}

// Find implements [Operations].
func (c *Client) Find(ctx context.Context, name string) (Conversation, error) {
	return ask[Conversation](ctx, c, http.MethodGet, routeFind, query("name", name), nil)
}

// History implements [Operations].
func (c *Client) History(ctx context.Context, r HistoryRequest) (HistoryPage, error) {
	return ask[HistoryPage](ctx, c, http.MethodGet, routeHistory, query("name", r.Name, "before", r.Before, "limit", count(r.Limit)), nil)
}

// Rename implements [Operations].
func (c *Client) Rename(ctx context.Context, r RenameRequest) (Renamed, error) {
	return ask[Renamed](ctx, c, http.MethodPost, routeRename, nil, r)
}

// Reset implements [Operations].
func (c *Client) Reset(ctx context.Context, name string) (Conversation, error) {
	return ask[Conversation](ctx, c, http.MethodPost, routeReset, nil, named{name})
}

// Delete implements [Operations].
func (c *Client) Delete(ctx context.Context, name string) (Deleted, error) {
	return ask[Deleted](ctx, c, http.MethodPost, routeDelete, nil, named{name})
}

// Ratings implements [Operations].
func (c *Client) Ratings(ctx context.Context, r RatingsRequest) (RatingsPage, error) {
	return ask[RatingsPage](ctx, c, http.MethodGet, routeRatings, query("after", r.After, "limit", count(r.Limit)), nil)
}

// Backup implements [Operations].
func (c *Client) Backup(ctx context.Context, begin func(size int64) (io.Writer, error)) (err error) {
	res, err := c.send(ctx, http.MethodGet, routeBackup, nil, nil)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if res.ContentLength < 0 {
		return c.unreadable(errors.New("the copy has no length"))
	}
	w, err := begin(res.ContentLength)
	if err != nil {
		return err
	}
	if _, err := io.Copy(w, res.Body); err != nil {
		if errors.Is(err, io.ErrUnexpectedEOF) {
			err = fmt.Errorf("the running bridge ended the copy early: it is stopping, or says why in its log (%w)", err)
		}
		return err
	}
	return nil
}

// query makes a query of keys and values; empty values are left out.
func query(pairs ...string) url.Values {
	q := url.Values{}
	for i := 0; i+1 < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			q.Set(pairs[i], pairs[i+1])
		}
	}
	return q
}

func count(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

// ask makes a request and reads its answer.
func ask[T any](ctx context.Context, c *Client, method, route string, q url.Values, body any) (v T, err error) {
	ctx, cancel := context.WithTimeout(ctx, idleTimeout)
	defer cancel()
	res, err := c.send(ctx, method, route, q, body)
	if err != nil {
		return v, err
	}
	defer func() { err = errors.Join(err, res.Body.Close()) }()
	if err := decode(res.Body, &v); err != nil {
		return v, c.unreadable(err)
	}
	return v, nil
}

// decode reads one JSON value of bounded size.
func decode(r io.Reader, v any) error {
	limited := &io.LimitedReader{R: r, N: maxAnswer + 1}
	err := json.NewDecoder(limited).Decode(v)
	if limited.N <= 0 {
		return fmt.Errorf("the answer is larger than %d MiB", maxAnswer>>20)
	}
	return err
}

// send makes a request. An answer that is no success is returned as an error, and its body closed.
func (c *Client) send(ctx context.Context, method, route string, q url.Values, body any) (*http.Response, error) {
	var in io.Reader
	if body != nil {
		raw, err := json.Marshal(body)
		if err != nil {
			return nil, fmt.Errorf("ask the running bridge: %w", err)
		}
		in = bytes.NewReader(raw)
	}
	u := url.URL{Scheme: "http", Host: "bridge", Path: route, RawQuery: q.Encode()}
	req, err := http.NewRequestWithContext(ctx, method, u.String(), in)
	if err != nil {
		return nil, fmt.Errorf("ask the running bridge: %w", err)
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, c.unreachable(err)
	}
	if res.StatusCode == http.StatusOK {
		return res, nil
	}
	var p problem
	err = decode(res.Body, &p)
	err = errors.Join(err, res.Body.Close())
	if err != nil || p.Text == "" {
		return nil, c.unreadable(errors.Join(fmt.Errorf("status %d", res.StatusCode), err))
	}
	return nil, &Error{Kind: p.Kind, Text: p.Text}
}

func (c *Client) unreachable(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		err = ue.Err // its text repeats an address that means nothing
	}
	return &Error{Kind: KindNoAnswer, Text: fmt.Sprintf("the running bridge does not answer at %s: %v", c.path, err), Err: err}
}

func (c *Client) unreadable(err error) error {
	return &Error{Kind: KindNoAnswer, Text: fmt.Sprintf("the running bridge at %s answers what cannot be read: %v", c.path, err), Err: err}
}
