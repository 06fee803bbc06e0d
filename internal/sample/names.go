package sample

const (
	nameProfiles        = "profiles"
	nameMembers         = "members"
	nameRecommendations = "recommendations"
	nameCatalogue       = "catalogue"
	nameRatings         = "ratings"
	nameAccounts        = "accounts"
)

// Names lists the services in the order of their ports. The slice is the
// caller's own.
func Names() []string {
	return []string{nameProfiles, nameMembers, nameRecommendations, nameCatalogue, nameRatings, nameAccounts}
}
