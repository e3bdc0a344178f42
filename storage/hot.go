package storage

// hotReads are the texts of what every other request asks.
func hotReads() []string {
	texts := []string{
		tokenByHash, userByName, userByID, userBySubID, inboundsOfUser, groupsOfUser, trafficOfUser,
		accountsByID, overviews, inInbounds.attached(usersListed), inGroups.attached(usersListed),
		externalLinks, groupNames, inboundIDs, keptTraffic, idsByName,
	}
	for _, u := range uniques {
		texts = append(texts, takenKeys(u.key))
	}
	return texts
}

// hotWrites are the texts of what every other request writes, with what is asked for that alone.
func hotWrites() []string {
	return []string{
		recordChanges, insertRow("user_traffic", trafficColumns), keepTraffic, deleteUsers, markChunk, addToInbound, noteFetch,
		inInbounds.known(), inInbounds.members(), insertRow(inInbounds.table, inInbounds.columns),
		inGroups.known(), inGroups.members(), insertRow(inGroups.table, inGroups.columns),
	}
}
