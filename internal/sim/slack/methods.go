package slack

// method is one method of the Web API.
type method struct {
	run func(*call) (object, *apiError) // with the server's lock held
	// scopes are alternatives; none means any token of the right kind will do.
	scopes   []string
	tier     tier
	writes   bool // a person may see the change
	app      bool // takes the app-level token
	anyToken bool // takes either token
}

// demands are the buckets that a call takes a token from.
func (m method) demands(c *call) []demand {
	if m.tier == tierPost {
		id := c.str("channel")
		if ch := c.s.roomLocked(id); ch != nil {
			id = ch.id
		} else {
			id = "" // unknown rooms share a bucket, or their number would have no bound
		}
		return []demand{{bucketKey{c.method, id}, tierPost}, {bucketKey{method: c.method}, tierPostAll}}
	}
	return []demand{{bucketKey{method: c.method}, m.tier}}
}

// methods are all methods that the stand-in knows. Scopes and tiers are those of each method's reference page,
// https://docs.slack.dev/reference/methods/METHOD.
var methods = map[string]method{
	"auth.test":             {run: authTest, tier: tierSpecial, anyToken: true},
	"apps.connections.open": {run: connectionsOpen, scopes: []string{"connections:write"}, tier: tier3, app: true},

	"chat.postMessage":   {run: postMessage, scopes: []string{"chat:write"}, tier: tierPost, writes: true},
	"chat.update":        {run: updateMessage, scopes: []string{"chat:write"}, tier: tier3, writes: true},
	"chat.delete":        {run: deleteMessage, scopes: []string{"chat:write"}, tier: tier3, writes: true},
	"chat.postEphemeral": {run: postEphemeral, scopes: []string{"chat:write"}, tier: tier4, writes: true},
	"chat.getPermalink":  {run: getPermalink, tier: tierSpecial},
	"chat.startStream":   {run: startStream, scopes: []string{"chat:write"}, tier: tier2, writes: true},
	"chat.appendStream":  {run: appendStream, scopes: []string{"chat:write"}, tier: tier4, writes: true},
	"chat.stopStream":    {run: stopStream, scopes: []string{"chat:write"}, tier: tier2, writes: true},

	"conversations.info":    {run: conversationsInfo, tier: tier3},
	"conversations.list":    {run: conversationsList, tier: tier2},
	"conversations.members": {run: conversationsMembers, tier: tier4},
	"conversations.history": {run: conversationsHistory, tier: tier3},
	"conversations.replies": {run: conversationsReplies, tier: tier3},
	"conversations.open":    {run: conversationsOpen, tier: tier3, writes: true},

	"users.info": {run: usersInfo, scopes: []string{"users:read"}, tier: tier4},
	"users.list": {run: usersList, scopes: []string{"users:read"}, tier: tier2},
	"bots.info":  {run: botsInfo, scopes: []string{"users:read"}, tier: tier3},
	"team.info":  {run: teamInfo, scopes: []string{"team:read"}, tier: tier3},

	"reactions.add":    {run: reactionsAdd, scopes: []string{"reactions:write"}, tier: tier3, writes: true},
	"reactions.remove": {run: reactionsRemove, scopes: []string{"reactions:write"}, tier: tier2, writes: true},
	"reactions.get":    {run: reactionsGet, scopes: []string{"reactions:read"}, tier: tier3},

	"files.getUploadURLExternal":   {run: filesGetUploadURL, scopes: []string{"files:write"}, tier: tier4},
	"files.completeUploadExternal": {run: filesCompleteUpload, scopes: []string{"files:write"}, tier: tier4, writes: true},
	"files.info":                   {run: filesInfo, scopes: []string{"files:read"}, tier: tier4},

	"assistant.threads.setStatus":           {run: setStatus, scopes: []string{"chat:write", "assistant:write"}, tier: tierStatus, writes: true},
	"assistant.threads.setTitle":            {run: setTitle, scopes: []string{"assistant:write"}, tier: tierStatus, writes: true},
	"assistant.threads.setSuggestedPrompts": {run: setSuggestedPrompts, scopes: []string{"assistant:write"}, tier: tierStatus, writes: true},
	"agents.sessions.setStatus":             {run: setSessionStatus, scopes: []string{"chat:write"}, tier: tier3, writes: true},

	"views.open": {run: viewsOpen, tier: tier4, writes: true},
}
