# Generates this package from edge.proto. It needs protoc (Debian's
# protobuf-compiler, 3.21.12 the last time); the plugins are pinned here.
set -eu
plugins=$(mktemp -d)
trap 'rm -r "$plugins"' EXIT
GOBIN=$plugins go install google.golang.org/protobuf/cmd/protoc-gen-go@v1.36.12
GOBIN=$plugins go install google.golang.org/grpc/cmd/protoc-gen-go-grpc@v1.6.2
PATH=$plugins:$PATH protoc --go_out=. --go_opt=paths=source_relative \
	--go-grpc_out=. --go-grpc_opt=paths=source_relative edge.proto
