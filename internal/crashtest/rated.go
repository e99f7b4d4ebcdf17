package crashtest

import "time"

// ratings compares what ClickAI has with what people said last.
func (e *evidence) ratings(from int) {
	for _, q := range e.s.ratingsMissing(from) {
		e.s.res.fail("%s: question %d is rated %q, which ClickAI does not have\n%s", q.platform(), q.id, q.rated, e.story(q))
	}
	all := e.s.set.ClickAI.Ratings()
	for _, q := range e.asked {
		if q.rating == "" || !q.conv.spot.rate {
			continue
		}
		p := e.s.res.platform(q.platform())
		p.Ratings++
		turns := e.turnsOf(q)
		if len(turns) == 0 {
			continue
		}
		before := "-"
		for _, r := range all {
			if r.MessageID != turns[len(turns)-1].MessageID {
				continue
			}
			if r.Rating == before {
				if !e.disturbed("clickai", q.asked) {
					e.s.res.fail("%s: the rating of question %d was sent twice", q.platform(), q.id)
				}
				p.RatedAgain++
			}
			before = r.Rating
		}
	}
}

// ratingsMissing are the questions whose ratings ClickAI does not have as people gave them.
func (s *scene) ratingsMissing(from int) []*question {
	have := map[string]string{}
	for _, r := range s.set.ClickAI.Ratings() {
		have[r.MessageID] = r.Rating
	}
	turns := byQuestion(s.set.ClickAI.Turns())
	var missing []*question
	for _, q := range s.w.asked(from) {
		if q.rated == "" && !q.withdraw {
			continue
		}
		id := ""
		if all := turns[q.id]; len(all) > 0 {
			id = all[len(all)-1].MessageID
		}
		if have[id] != q.rated && !s.w.superseded(q, q.ratedRef) {
			missing = append(missing, q)
		}
	}
	return missing
}

// disturbed tells whether the bridge was killed, or a service in trouble, since a time.
func (e *evidence) disturbed(service string, since time.Time) bool {
	if _, killed := e.killAfter(since); killed {
		return true
	}
	_, ok := e.trouble(service, since, time.Now(), func(Trouble) bool { return true })
	return ok
}
