package discord

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"time"
)

// interactionLife is how long an interaction's token works after its first answer.
// Source: https://docs.discord.com/developers/interactions/receiving-and-responding
const interactionLife = 15 * time.Minute

// Interaction types and callback types; same source.
const (
	interactionCommand   = 2
	interactionComponent = 3
	interactionModal     = 5

	callbackMessage        = 4
	callbackDeferred       = 5
	callbackDeferredUpdate = 6
	callbackUpdate         = 7
	callbackModal          = 9
)

const maxInteractions = 10000

type interactions struct {
	byID  map[string]*interaction
	order []string
}

type interaction struct {
	id, token string
	typ       int
	user      *user
	channel   *channel
	name      string       // of the command
	source    *message     // whose button was pressed, or whose button opened the form that was sent
	opener    *interaction // of a form that was sent
	form      *modal       // that the answer opened; nil once it is sent or closed
	at        time.Time
	answered  bool
	deferred  bool
	ephemeral bool
	original  *message
	replies   []*message
}

func (s *Server) newInteraction(typ int, u *user, ch *channel) *interaction {
	now := time.Now()
	id := s.ids.next(now)
	i := &interaction{id: id, token: "aW50ZXJhY3Rpb24-" + id + "-" + s.sign(id, "", "")[:32], typ: typ, user: u, channel: ch, at: now}
	s.inter.byID[id] = i
	s.inter.order = append(s.inter.order, id)
	if len(s.inter.order) > maxInteractions {
		delete(s.inter.byID, s.inter.order[0])
		s.inter.order = slices.Delete(s.inter.order, 0, 1)
	}
	return i
}

// metadata: https://docs.discord.com/developers/resources/message#message-interaction-metadata-object
func (i *interaction) metadata(s *Server) map[string]any {
	o := map[string]any{
		"id": i.id, "type": i.typ, "user": userObject(i.user),
		"authorizing_integration_owners": map[string]any{"0": s.guild.ID},
	}
	switch {
	case i.opener != nil:
		o["triggering_interaction_metadata"] = i.opener.metadata(s)
	case i.source != nil:
		o["interacted_message_id"] = i.source.id
	}
	return o
}

// object: https://docs.discord.com/developers/interactions/receiving-and-responding#interaction-object
func (i *interaction) object(s *Server, data map[string]any) map[string]any {
	o := map[string]any{
		"id": i.id, "application_id": s.appID(), "type": i.typ, "data": data, "token": i.token, "version": 1,
		"channel_id": i.channel.id, "channel": s.channelObject(i.channel), "locale": "en-US", "entitlements": []any{},
		"authorizing_integration_owners": map[string]any{"0": s.guild.ID}, "context": 1,
		"app_permissions": s.permitted(i.channel).String(), "attachment_size_limit": s.opt.MaxFile,
	}
	if i.channel.guild != "" {
		member := s.memberObject(i.user, true)
		member["permissions"] = allPermissions.String()
		o["guild_id"], o["guild_locale"], o["member"], o["context"] = i.channel.guild, "en-US", member, 0
		o["guild"] = map[string]any{"id": i.channel.guild, "locale": "en-US", "features": []any{}}
	} else {
		o["user"] = userObject(i.user)
	}
	if i.source != nil {
		o["message"] = s.messageObject(i.source, view{})
	}
	return o
}

type callback struct {
	Type int             `json:"type"`
	Data json.RawMessage `json:"data"`
}

// interactionCallback: https://docs.discord.com/developers/interactions/receiving-and-responding#create-interaction-response
func interactionCallback(c *call) (int, any, error) {
	s := c.s
	i := s.inter.byID[c.param("interaction")]
	if i == nil || i.token != c.param("token") {
		return 0, nil, errUnknownInteraction
	}
	if i.answered {
		return 0, nil, errAcknowledged
	}
	if time.Since(i.at) > s.opt.InteractionDeadline {
		return 0, nil, errUnknownInteraction
	}
	var in callback
	if err := c.decode(&in); err != nil {
		return 0, nil, err
	}
	if err := s.answer(i, &in, c); err != nil {
		return 0, nil, err
	}
	i.answered = true
	s.notify.Notify()
	return http.StatusNoContent, noContent, nil
}

func (s *Server) answer(i *interaction, in *callback, c *call) error {
	component := i.source != nil
	if in.Type == callbackModal && i.typ != interactionModal {
		form, err := parseModal(in.Data)
		if err != nil {
			return err
		}
		i.form = form
		return nil
	}
	p, err := parsePayload(in.Data)
	if err != nil {
		return err
	}
	sub := &call{s: s, r: c.r, body: in.Data, files: c.files}
	switch {
	case in.Type == callbackMessage:
		m, err := s.interactionMessage(i, p, sub)
		if err != nil {
			return err
		}
		i.original = m
		i.ephemeral = m.flags&flagEphemeral != 0
	case in.Type == callbackDeferred:
		i.deferred = true
		i.ephemeral = p.Flags&flagEphemeral != 0
		i.original = s.placeInteraction(i, &message{flags: flagLoading | p.Flags&flagEphemeral})
	case in.Type == callbackDeferredUpdate && component:
		i.original = i.source
	case in.Type == callbackUpdate && component:
		i.original = i.source
		return s.edit(i.source, sub)
	default:
		return formError("type", "BASE_TYPE_CHOICES", "Value is not a response to this type of interaction.")
	}
	return nil
}

// interactionMessage makes a message that answers an interaction. Such messages need no permission of the bot.
func (s *Server) interactionMessage(i *interaction, p *payload, c *call) (*message, *apiError) {
	if err := p.check(p.Flags&flagComponentsV2 != 0); err != nil {
		return nil, err
	}
	if p.empty() && len(c.files) == 0 {
		return nil, errEmptyMessage
	}
	p.Reference, p.Nonce = nil, nil
	m, err := s.compose(i.channel, p, c)
	if err != nil {
		return nil, err
	}
	m.flags |= p.Flags & flagEphemeral
	return s.placeInteraction(i, m), nil
}

// placeInteraction puts the message where it shows: into the channel, or before the one person alone.
func (s *Server) placeInteraction(i *interaction, m *message) *message {
	m.channel, m.author, m.interaction, m.at = i.channel, s.bot.ID, i, time.Now()
	if m.id == "" {
		m.id = s.ids.next(m.at)
	}
	if i.typ == interactionCommand && i.original == nil {
		m.typ = messageCommand
	}
	i.replies = append(i.replies, m)
	if m.flags&flagEphemeral != 0 {
		m.keep(m.at, s.opt.MaxVersions)
		s.notify.Notify()
		return m
	}
	s.unarchive(i.channel)
	s.add(i.channel, m)
	return m
}

// hook is the interaction that a webhook token belongs to.
func (c *call) hook() (*interaction, *apiError) {
	if c.param("app") != c.s.appID() {
		return nil, errUnknownWebhook
	}
	_, rest, _ := strings.Cut(c.param("token"), "-")
	id, _, _ := strings.Cut(rest, "-")
	i := c.s.inter.byID[id]
	switch {
	case i == nil, i.token != c.param("token"), time.Since(i.at) > interactionLife:
		return nil, errWebhookToken
	case !i.answered:
		return nil, errUnknownWebhook
	}
	return i, nil
}

func createFollowup(c *call) (int, any, error) {
	i, err := c.hook()
	if err != nil {
		return 0, nil, err
	}
	if i.deferred { // the first follow-up takes the place of "is thinking"
		return c.fillOriginal(i)
	}
	p, err := parsePayload(c.body)
	if err != nil {
		return 0, nil, err
	}
	m, err := c.s.interactionMessage(i, p, c)
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.s.restMessage(m), nil
}

func (c *call) fillOriginal(i *interaction) (int, any, error) {
	if err := c.s.edit(i.original, c); err != nil {
		return 0, nil, err
	}
	i.deferred = false
	return http.StatusOK, c.s.restMessage(i.original), nil
}

func (c *call) followup() (*interaction, *message, *apiError) {
	i, err := c.hook()
	if err != nil {
		return nil, nil, err
	}
	id := c.param("message")
	if id == "@original" {
		if i.original == nil {
			return nil, nil, errUnknownMessage
		}
		return i, i.original, nil
	}
	for _, m := range i.replies {
		if m.id == id {
			return i, m, nil
		}
	}
	return nil, nil, errUnknownMessage
}

func getFollowup(c *call) (int, any, error) {
	_, m, err := c.followup()
	if err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.s.restMessage(m), nil
}

func editFollowup(c *call) (int, any, error) {
	i, m, err := c.followup()
	if err != nil {
		return 0, nil, err
	}
	if m == i.original {
		return c.fillOriginal(i)
	}
	if err := c.s.edit(m, c); err != nil {
		return 0, nil, err
	}
	return http.StatusOK, c.s.restMessage(m), nil
}

func deleteFollowup(c *call) (int, any, error) {
	i, m, err := c.followup()
	if err != nil {
		return 0, nil, err
	}
	c.s.remove(m)
	i.replies = slices.DeleteFunc(i.replies, func(x *message) bool { return x == m })
	if m == i.original {
		i.original, i.deferred = nil, false
	}
	return http.StatusNoContent, noContent, nil
}
