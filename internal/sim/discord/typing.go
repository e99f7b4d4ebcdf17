package discord

import "time"

// typingTime is how long the sign stays unless a message ends it.
// Source: https://docs.discord.com/developers/resources/channel#trigger-typing-indicator
const typingTime = 10 * time.Second

// typing is the bot's sign in one channel.
type typing struct{ timer *time.Timer }

// startTyping shows the bot as typing. The caller holds the lock.
func (s *Server) startTyping(c *channel) {
	s.stopTyping(c)
	if s.closed {
		return
	}
	t := &typing{}
	s.wg.Add(1)
	t.timer = time.AfterFunc(typingTime, func() {
		defer s.wg.Done()
		s.mu.Lock()
		defer s.mu.Unlock()
		if c.typing == t {
			c.typing = nil
			s.notify.Notify()
		}
	})
	c.typing = t
	s.notify.Notify()
}

// stopTyping ends the sign. The caller holds the lock.
func (s *Server) stopTyping(c *channel) {
	if c.typing == nil {
		return
	}
	if c.typing.timer.Stop() {
		s.wg.Done()
	}
	c.typing = nil
	s.notify.Notify()
}

// Typing tells whether the bot shows as typing in a channel or thread. Discord has no status line: the text is empty.
func (s *Server) Typing(room, thread string) (string, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	c, err := s.place(room, thread)
	return "", err == nil && c.typing != nil
}
