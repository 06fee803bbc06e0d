package peer

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"runtime"

	"warmline.dev/bench/harness"
	"warmline.dev/bench/job/contender"
	"warmline.dev/bench/load"
	"warmline.dev/bench/tier"
)

// mostUnderWay is what clients are dialled for.
const mostUnderWay = 1000

// Ask is the client's process: it says that it is connected, and then does each
// [Task] that it is told and prints what was [Taken].
func Ask(ctx context.Context, name string, addresses []string, resilient bool, stdin io.Reader, stdout io.Writer) error {
	c, err := contender.Find(name)
	if err != nil {
		return err
	}
	return harness.Told(stdin, func(lines <-chan string) error {
		passports, err := tier.Passports()
		if err != nil {
			return err
		}
		client, err := c.Dial(ctx, addresses, contender.Load{Concurrency: mostUnderWay, Resilient: resilient})
		if err != nil {
			return fmt.Errorf("dial: %w", err)
		}
		_, _ = fmt.Fprintln(stdout, lineConnected) // if nobody listens, stdin has ended too
		for line := range lines {
			var t Task
			if err := json.Unmarshal([]byte(line), &t); err != nil {
				return fmt.Errorf("task %q: %w", line, err)
			}
			taken, err := t.do(ctx, client, passports)
			if err != nil {
				return err
			}
			_ = json.NewEncoder(stdout).Encode(taken) // as above
		}
		return nil
	})
}

func (t Task) do(ctx context.Context, client contender.Client, passports [][]byte) (Taken, error) {
	do, err := t.job(client, passports)
	if err != nil {
		return Taken{}, err
	}
	runtime.GC() // what was before is not this task's
	before := harness.ThisUsage()
	s, err := load.Run(ctx, t.Load, ofAKind(do))
	return Taken{Sample: s, Adapter: harness.ThisUsage().Since(before)}, err
}
