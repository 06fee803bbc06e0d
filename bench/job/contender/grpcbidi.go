package contender

import (
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"golang.org/x/sync/errgroup"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/encoding/protowire"

	"warmline.dev/bench/job/contender/edgepb"
	"warmline.dev/bench/tier"
	"warmline.dev/internal/sample/service"
	"warmline.dev/passport"
)

// grpcAtOnce is how many questions of one conversation are under way that are not
// answered from memory.
const grpcAtOnce = 64

// grpcConverse answers the questions of one job: what is in memory at once, and the
// others as their answers come. The passport is opened once.
func grpcConverse(srv any, s grpc.ServerStream) error {
	t := srv.(*tier.Tier)
	who, err := grpcOpen(s.Context(), t)
	if err != nil {
		return err
	}
	var sending sync.Mutex // SendMsg is for one goroutine at a time
	send := func(q *edgepb.Question, parts kept, err error) error {
		sending.Lock()
		defer sending.Unlock()
		if err != nil {
			return s.SendMsg(failed(q, err))
		}
		return s.SendMsg(answerTo(q, parts))
	}
	var loads errgroup.Group
	loads.SetLimit(grpcAtOnce)
	for {
		q := new(edgepb.Question)
		if err = s.RecvMsg(q); err != nil {
			break
		}
		parts, ok, failure := peek(s.Context(), t, who, q)
		if !ok && failure == nil {
			loads.Go(func() error {
				parts, failure := load(s.Context(), t, who, q)
				return send(q, parts, failure)
			})
		} else if err = send(q, parts, failure); err != nil {
			break
		}
	}
	if waited := loads.Wait(); errors.Is(err, io.EOF) {
		return waited
	}
	return err
}

func failed(q *edgepb.Question, err error) *edgepb.Answer {
	s := status.Convert(err)
	return &edgepb.Answer{Number: q.GetNumber(), Of: &edgepb.Answer_Failure{Failure: &edgepb.Failure{Code: uint32(s.Code()), Message: s.Message()}}}
}

// peek answers from memory, if what is asked for is there.
func peek(ctx context.Context, t *tier.Tier, who passport.Passport, q *edgepb.Question) (parts kept, ok bool, err error) {
	var b []byte
	switch of := q.GetOf().(type) {
	case *edgepb.Question_Profile:
		b, ok, err = t.PeekProfile(ctx, who)
		return kept{b}, ok, err
	case *edgepb.Question_Row:
		b, ok, err = t.PeekRow(ctx, who, rowOf(of.Row))
		return kept{b}, ok, err
	case *edgepb.Question_Films:
		return t.PeekFilms(ctx, ints(of.Films.GetIds()))
	case *edgepb.Question_Ratings:
		return t.PeekRatings(ctx, who, ints(of.Ratings.GetIds()))
	case *edgepb.Question_Next:
		b = protowire.AppendTag(nil, 1, protowire.VarintType)
		return kept{protowire.AppendVarint(b, uint64(of.Next.GetN()+1))}, true, nil
	default:
		return nil, false, status.Errorf(codes.InvalidArgument, "question %d asks for nothing that is known", q.GetNumber())
	}
}

// load answers what peek has no answer to.
func load(ctx context.Context, t *tier.Tier, who passport.Passport, q *edgepb.Question) (kept, error) {
	switch of := q.GetOf().(type) {
	case *edgepb.Question_Profile:
		return one(t.Profile(ctx, who))
	case *edgepb.Question_Row:
		return one(t.Row(ctx, who, rowOf(of.Row)))
	case *edgepb.Question_Films:
		return many(t.Films(ctx, ints(of.Films.GetIds())))
	case *edgepb.Question_Ratings:
		return many(t.Ratings(ctx, who, ints(of.Ratings.GetIds())))
	}
	return nil, nil // not reached: peek has refused it
}

// answerTo puts what is kept into an Answer: its number, and the answer in the field
// that the question had.
func answerTo(q *edgepb.Question, parts kept) kept {
	var field protowire.Number
	switch q.GetOf().(type) {
	case *edgepb.Question_Profile:
		field = 2
	case *edgepb.Question_Row:
		field = 3
	case *edgepb.Question_Films:
		field = 4
	case *edgepb.Question_Ratings:
		field = 5
	case *edgepb.Question_Next:
		field = 6
	}
	size := 0
	for _, p := range parts {
		size += len(p)
	}
	b := make([]byte, 0, 16)
	b = protowire.AppendTag(b, 1, protowire.VarintType)
	b = protowire.AppendVarint(b, uint64(q.GetNumber()))
	b = protowire.AppendTag(b, field, protowire.BytesType)
	b = protowire.AppendVarint(b, uint64(size))
	return append(kept{b}, parts...)
}

func dialGRPCBidi(_ context.Context, addresses []string, _ Load) (Client, error) {
	conn, err := connectGRPC(addresses, false)
	if err != nil {
		return nil, err
	}
	return grpcBidi{edgepb.NewEdgeClient(conn)}, nil
}

// grpcBidi opens a stream for each job, which one goroutine uses: what is asked at
// once is sent, and then the answers are taken as they come.
type grpcBidi struct{ edge edgepb.EdgeClient }

// converse opens a job's stream. Its end is the end of the context, which has to end.
func (c grpcBidi) converse(ctx context.Context, sealed []byte) (*grpcJob, error) {
	s, err := c.edge.Converse(withGRPCPassport(ctx, sealed))
	return &grpcJob{s: s}, err
}

// grpcJob is a job's stream. The client's half is closed behind the last question.
type grpcJob struct {
	s     grpc.BidiStreamingClient[edgepb.Question, edgepb.Answer]
	asked uint32
}

func (j *grpcJob) ask(q *edgepb.Question) error {
	j.asked++
	q.Number = j.asked
	if err := j.s.Send(q); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	return nil // after io.EOF, answer has the reason
}

func (j *grpcJob) answer() (*edgepb.Answer, error) {
	a, err := j.s.Recv()
	if errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("the stream is over, and not all questions are answered: %w", io.ErrUnexpectedEOF)
	}
	if f := a.GetFailure(); f != nil {
		return nil, status.Error(codes.Code(f.GetCode()), f.GetMessage())
	}
	return a, err
}

// over waits for the status, which the server sends right behind the last answer: it
// has seen the end of the client's half.
func (j *grpcJob) over() error {
	a, err := j.s.Recv()
	switch {
	case err == nil:
		return fmt.Errorf("an answer to question %d that is one too many", a.GetNumber())
	case errors.Is(err, io.EOF):
		return nil
	}
	return err
}

func (c grpcBidi) Page(ctx context.Context, sealed []byte) (Page, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	j, err := c.converse(ctx, sealed)
	if err != nil {
		return Page{}, err
	}
	if err := j.ask(&edgepb.Question{Of: &edgepb.Question_Profile{Profile: &edgepb.ProfileOf{}}}); err != nil {
		return Page{}, err
	}
	a, err := j.answer()
	if err != nil {
		return Page{}, err
	}
	p := profileOf(a.GetProfile())
	if err := j.ask(&edgepb.Question{Of: &edgepb.Question_Row{Row: &edgepb.RowOf{Limit: tier.Limit, Language: p.Language}}}); err != nil {
		return Page{}, err
	}
	if a, err = j.answer(); err != nil {
		return Page{}, err
	}
	recs := recommendationsOf(a.GetRow())
	ids := int32s(ids(recs))
	err = errors.Join(
		j.ask(&edgepb.Question{Of: &edgepb.Question_Films{Films: &edgepb.FilmsOf{Ids: ids}}}),
		j.ask(&edgepb.Question{Of: &edgepb.Question_Ratings{Ratings: &edgepb.RatingsOf{Ids: ids}}}),
		j.s.CloseSend(),
	)
	if err != nil {
		return Page{}, err
	}
	var films service.Videos2
	var ratings service.Ratings
	for range 2 {
		a, err := j.answer()
		if err != nil {
			return Page{}, err
		}
		switch of := a.GetOf().(type) {
		case *edgepb.Answer_Films:
			films = filmsOf(of.Films)
		case *edgepb.Answer_Ratings:
			ratings = ratingsOf(of.Ratings)
		default:
			return Page{}, fmt.Errorf("an answer to question %d that nobody asked", a.GetNumber())
		}
	}
	return shape(p, recs, films, ratings), j.over()
}

func (c grpcBidi) Chain(ctx context.Context, sealed []byte, depth int) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	j, err := c.converse(ctx, sealed)
	if err != nil {
		return 0, err
	}
	n := int32(0)
	for i := range depth {
		if err := j.ask(next(n)); err != nil {
			return 0, err
		}
		if i == depth-1 {
			if err := j.s.CloseSend(); err != nil {
				return 0, err
			}
		}
		a, err := j.answer()
		if err != nil {
			return 0, err
		}
		n = a.GetNext().GetN()
	}
	return int(n), j.over()
}

func (c grpcBidi) Fan(ctx context.Context, sealed []byte, width int) (int, error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	j, err := c.converse(ctx, sealed)
	if err != nil {
		return 0, err
	}
	const ahead = 1000 // what the windows hold by far, so that nobody waits for the other to read
	sent, sum := 0, 0
	for taken := range width {
		for ; sent < min(width, taken+ahead); sent++ {
			if err := j.ask(next(int32(sent))); err != nil {
				return 0, err
			}
			if sent == width-1 {
				if err := j.s.CloseSend(); err != nil {
					return 0, err
				}
			}
		}
		a, err := j.answer()
		if err != nil {
			return 0, err
		}
		sum += int(a.GetNext().GetN())
	}
	return sum, j.over()
}

// Hold is [Holder].
func (c grpcBidi) Hold(ctx context.Context, sealed []byte) (Held, error) {
	ctx, cancel := context.WithCancel(ctx)
	j, err := c.converse(ctx, sealed)
	return &heldGRPC{j, cancel}, err
}

// heldGRPC is a stream that ends if an answer does not come in time, too.
type heldGRPC struct {
	*grpcJob
	cancel context.CancelFunc
}

func (h *heldGRPC) Next(ctx context.Context, n int) (int, error) {
	defer context.AfterFunc(ctx, h.cancel)()
	if err := h.ask(next(int32(n))); err != nil {
		return 0, err
	}
	a, err := h.answer()
	return int(a.GetNext().GetN()), err
}

func next(n int32) *edgepb.Question {
	return &edgepb.Question{Of: &edgepb.Question_Next{Next: &edgepb.Number{N: n}}}
}
