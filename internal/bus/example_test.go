package bus_test

import (
	"context"
	"fmt"

	"warmline.dev/internal/bus"
)

func Example() {
	b, err := bus.Open(bus.Config{}) // for this process alone
	if err != nil {
		fmt.Println(err)
		return
	}
	defer b.Close()

	inForce, heard := make(chan struct{}, 1), make(chan struct{})
	_, err = b.Subscribe("warmline.films.*", func(subject string, data []byte) {
		fmt.Printf("%s: forget %s\n", subject, data)
		close(heard)
	}, func() {
		fmt.Println("forget everything")
		inForce <- struct{}{}
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	<-inForce
	if err := b.Publish(context.Background(), "warmline.films.changed", []byte("17")); err != nil {
		fmt.Println(err)
		return
	}
	<-heard
	// Output:
	// forget everything
	// warmline.films.changed: forget 17
}
