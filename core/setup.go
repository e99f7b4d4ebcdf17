package core

// Setup is what a person has to know and to answer to set up a first bot of a platform. `bridge init` goes by it, so that it
// knows no platform itself.
type Setup struct {
	Title string // what people call the platform
	// Steps say what to do at the platform before the questions can be answered, one line each.
	Steps     []string
	Questions []SetupQuestion
	// Next says what is left to do at the platform once the answers are in, one line each; nil: nothing.
	Next func(s Settings) []string
	// Manifest describes the platform's app as a file for it to read: under this name, and taking its events under baseURL
	// (the public address of the bridge's web server), or over a connection of its own when that is "". nil: it reads none.
	Manifest func(name, baseURL string) ([]byte, error)
}

// SetupQuestion asks for one key of a bot. What is wrong with an answer, its [Settings] and the platform's [Checker] tell.
type SetupQuestion struct {
	Key      string // of the configuration, as the yaml tag of a text in the platform's Settings
	Ask      string // what is asked for, in a few words
	Env      string // the variable that holds a secret answer; "": it stands in the configuration itself
	Optional bool   // an empty answer is one
	// Unless is a key that makes this question needless when it has an answer; "": it is always asked.
	Unless string
}
