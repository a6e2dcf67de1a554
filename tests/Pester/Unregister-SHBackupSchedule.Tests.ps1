Describe 'Unregister-SHBackupSchedule' {
    It 'removes nothing that is not there' {
        Unregister-SHBackupSchedule 'no such schedule*' -Force
        { Unregister-SHBackupSchedule 'no such schedule' -Force -ErrorAction Stop } | Should -Throw -ErrorId 'ScheduleNotFound,*'
    }
}
