// Package service is the edge's side of the samples: the services profiles,
// members, recommendations, catalogue (two versions) and ratings, their methods
// reading the sample mid-tier services through warm caches and breakers. It
// shows how an edge of one's own is written.
package service
