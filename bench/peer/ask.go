package peer

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"time"

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
		dial := func() (contender.Client, error) {
			return c.Dial(ctx, addresses, contender.Load{Concurrency: mostUnderWay, Resilient: resilient})
		}
		first, err := dial()
		if err != nil {
			return fmt.Errorf("dial: %w", err)
		}
		a := &adapter{dial: dial, passports: passports, clients: []contender.Client{first}}
		if err := a.warmUp(ctx, c.WarmUp); err != nil {
			return err
		}
		_, _ = fmt.Fprintln(stdout, lineConnected) // if nobody listens, stdin has ended too
		for line := range lines {
			var t Task
			if err := json.Unmarshal([]byte(line), &t); err != nil {
				return fmt.Errorf("task %q: %w", line, err)
			}
			taken, err := a.do(ctx, t)
			if err != nil {
				return err
			}
			_ = json.NewEncoder(stdout).Encode(taken) // as above
		}
		return nil
	})
}

// warmUp has an adapter that needs it make pages. If they fail, the tasks will say so.
func (a *adapter) warmUp(ctx context.Context, d time.Duration) error {
	if d == 0 {
		return nil
	}
	_, err := a.do(ctx, Task{Kind: Page, Load: load.Config{Concurrency: 32, Duration: d, Timeout: d}})
	return err
}
