package storage

// hotReads are the texts of what every other request asks.
func hotReads() []string {
	texts := []string{
		tokenByHash, adminByID, adminNames, userByName, userByID, userBySubID, inboundsOfUser, directOfUser, groupsOfUser, trafficOfUser,
		accountsByID, overviews, inboundsOfGroups, externalLinks, groupNames, inboundIDs, keptTraffic, idsByName,
		dueDeliveries,
	}
	for _, m := range []membership{userInbounds, userGroups, groupInbounds} {
		texts = append(texts, m.attached(m.listed()))
	}
	for _, u := range uniques {
		texts = append(texts, takenKeys(u.key))
	}
	return texts
}

// hotWrites are the texts of what every other request writes, with what is asked for that alone.
func hotWrites() []string {
	return []string{
		recordChanges, insertRow("user_traffic", trafficColumns), keepTraffic, deleteUsers, markChunk, addToInbound,
		noteFetch, addFetch, dropFetches, onlineOf, leaseDeliveries, markDelivered, markFailed, promoteHeads,
		known("inbounds"), userInbounds.members(), insertRow(userInbounds.table, userInbounds.columns),
		known("groups"), userGroups.members(), insertRow(userGroups.table, userGroups.columns),
	}
}
